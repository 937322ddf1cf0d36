// `npm run borders`: writes the table of `borders.ts` into the linter's settings and into the architecture page.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withBorders, withTable } from './border-files.ts';
import { REPOSITORY } from './import-graph.ts';

for (const [file, update] of [
  ['biome.json', withBorders],
  ['docs/architecture.md', withTable],
] as const) {
  const path = join(REPOSITORY, file);
  writeFileSync(path, update(readFileSync(path, 'utf8')));
}
