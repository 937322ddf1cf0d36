import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A folder of its own, since the repository's packages are tested with another runner. */
const JEST = join(import.meta.dirname, '../../node_modules/.cache/jest/node_modules/jest/bin/jest.js');

/** The file of jest's command, which `scripts/prepare.mjs --jest` installs; undefined when it is not there. */
export function findJest(): string | undefined {
  if (existsSync(JEST)) return JEST;
  process.stderr.write('openray/testing is not tested under jest, which scripts/prepare.mjs --jest installs\n');
  return undefined;
}
