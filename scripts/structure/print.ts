// `npm run structure`: how the folders of the server depend on each other inside, type imports included.
import { fileCircles, folderStructure, foldersAbove, isForTests, readImports, sourceFiles } from './import-graph.ts';

const files = sourceFiles('server/src').filter((file) => !isForTests(file));
const imports = readImports(files);
const structures = [...new Set(files.flatMap(foldersAbove))]
  .sort()
  .map((folder) => folderStructure(folder, imports, files))
  .filter(({ entries }) => entries > 1);

console.table(structures.map(({ circles, ...row }) => ({ ...row, circles: circles.length })));
for (const { folder, circles } of structures) {
  for (const circle of circles) console.log(`circle in ${folder}: ${circle.join(' ↔ ')}`);
}
console.log(`circles between files: ${fileCircles(imports).length}`);
