import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXCEPTIONS, RETIRED_WORDS } from './retired-words.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** One use of a retired word; `line` counts from 1. */
export type Finding = { readonly file: string; readonly line: number; readonly word: string; readonly say: string };

/** Files of which names, comments and texts are read: code, styles, pages; no recorded or generated data. */
export function checkedFiles(paths: readonly string[] = ['.']): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...paths], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\n'))]
    .filter((path) => /\.(ts|tsx|mjs|cjs|js|py|css|md|html|sh|yaml|yml)$|^\.ci\//.test(path))
    .filter((path) => !/^fixtures\/|\/golden\/|^CHANGELOG/.test(path))
    .sort();
}

/** Retired words in the path and the text of a file, in order of lines; those in the path have line 1. */
export function findingsIn(file: string, text = readFileSync(join(REPOSITORY, file), 'utf8')): Finding[] {
  const isExcepted = (word: string) => EXCEPTIONS.some((one) => file.startsWith(one.file) && one.pattern.test(word));
  const words = RETIRED_WORDS.filter(({ within = '' }) => file.startsWith(within));
  return [file, ...text.split('\n')].flatMap((line, index) => {
    const spaced = separateWords(line);
    return words.flatMap(({ pattern, say }) => {
      const word = pattern.exec(spaced)?.[0];
      return word === undefined || isExcepted(word) ? [] : [{ file, line: Math.max(1, index), word, say }];
    });
  });
}

/** `countedSeq`, `counted_seq` and `counted-seq.ts` as `counted seq`. */
function separateWords(line: string): string {
  return line
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_\-/.'’]/g, ' ')
    .toLowerCase();
}
