import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXCEPTIONS, RETIRED_WORDS } from './retired-words.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const CHECKED =
  /\.(ts|tsx|mjs|cjs|js|py|rb|java|go|css|md|html|sh|yaml|yml|json|sql|txt)$|^\.ci\/|(^|\/)(Dockerfile|Makefile)$/;
/** Recorded and generated files. The pages beside recorded data are read. */
const NOT_CHECKED = /^fixtures\/.*(?<!\.md)$|\/golden\/|(^|\/)(CHANGELOG\.md|package-lock\.json)$/;

const GLOBAL_PATTERNS = RETIRED_WORDS.map((retired) => ({ ...retired, pattern: new RegExp(retired.pattern, 'g') }));

/** One use of a retired word; `line` counts from 1. A phrase that is broken over two lines has the first of them. */
export type Finding = { readonly file: string; readonly line: number; readonly word: string; readonly say: string };

/** Files of which names, comments and texts are read: code, styles, pages, settings; no recorded or generated data. */
export function checkedFiles(paths: readonly string[] = ['.']): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...paths], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\n'))].filter((path) => CHECKED.test(path) && !NOT_CHECKED.test(path)).sort();
}

/** Retired words in the path and the text of a file, in order of lines; those in the path have line 1. */
export function findingsIn(file: string, text = readFileSync(join(REPOSITORY, file), 'utf8')): Finding[] {
  const isExcepted = (word: string) => EXCEPTIONS.some((one) => file.startsWith(one.file) && one.pattern.test(word));
  const { words, lineAt } = wordsOf(file, text);
  return GLOBAL_PATTERNS.filter(({ within = '' }) => file.startsWith(within))
    .flatMap(({ pattern, say }) =>
      Array.from(words.matchAll(pattern), ({ 0: word, index }) => ({ file, line: lineAt(index), word, say })),
    )
    .filter(({ word }) => !isExcepted(word))
    .sort((a, b) => a.line - b.line);
}

/**
 * The path and the lines of a file in separate lower-case words. A space joins the lines of a comment and those of a
 * paragraph of a page, since their phrases go over the ends of lines; a line feed ends all others. `lineAt` counts from 1.
 */
function wordsOf(file: string, text: string): { readonly words: string; readonly lineAt: (offset: number) => number } {
  let words = `${separateWords(file)}\n`;
  const ends: number[] = [];
  let isOpen = false;
  for (const raw of text.split('\n')) {
    const comment = /^\s*(?:\/?\*+\/?|\/\/|#+|--)(?:\s+(.*?))?\s*(?:\*\/)?$/.exec(raw);
    const isProse = file.endsWith('.md') || comment !== null;
    const line = separateWords(file.endsWith('.md') ? raw.trim() : (comment?.[1] ?? raw));
    if (isOpen && isProse) words = `${words.slice(0, -1)} `;
    words += `${line}\n`;
    ends.push(words.length);
    isOpen = isProse && line !== '';
  }
  return { words, lineAt: (offset) => ends.findIndex((end) => offset < end) + 1 };
}

/** `countedSeq`, `counted_seq` and `counted-seq.ts` as `counted seq`. */
function separateWords(line: string): string {
  return line
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_\-/.'’]/g, ' ')
    .toLowerCase();
}
