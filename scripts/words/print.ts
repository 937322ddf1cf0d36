// `npm run words [PATH ...]`: retired words in the files below the paths, with the words to use.
import { checkedFiles, findingsIn } from './find-words.ts';

const findings = checkedFiles(process.argv.length > 2 ? process.argv.slice(2) : undefined).flatMap((file) =>
  findingsIn(file),
);
for (const { file, line, word, say } of findings) console.log(`${file}:${line}: "${word}" (say: ${say})`);
process.exitCode = findings.length > 0 ? 1 : 0;
