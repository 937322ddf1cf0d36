import { dirname, posix } from 'node:path';
import { BORDERS, type Border, borderOf, GUARDED_PACKAGES, OPEN_TO_ALL } from './borders.ts';

const PAGE = 'docs/architecture.md';

export type Override = { readonly includes: readonly string[]; readonly linter: object };

/** Biome's overrides: an allow-list for each folder of `files` (TypeScript files, paths relative to `server/src`). */
export function biomeOverrides(files: readonly string[]): Override[] {
  const patternsOfPlace = new Map<string, string>();
  for (const file of files) {
    const border = borderOf(file);
    if (border !== undefined) patternsOfPlace.set(placeOf(file), JSON.stringify(patterns(border, dirname(file))));
  }
  const includesOfPatterns = new Map<string, string[]>();
  for (const [place, key] of patternsOfPlace) {
    const isForTests = place.endsWith(TESTS);
    const keyOfOthers = patternsOfPlace.get(isForTests ? place.replace(TESTS, SOURCES) : place.replace(SOURCES, TESTS));
    if (isForTests && keyOfOthers === key) continue;
    const hasOtherTests = !isForTests && keyOfOthers !== undefined && keyOfOthers !== key;
    const includes = [place, ...(hasOtherTests ? [`!${place.replace(SOURCES, TESTS)}`] : [])];
    includesOfPatterns.set(key, [...(includesOfPatterns.get(key) ?? []), ...includes]);
  }
  return [...includesOfPatterns].map(([key, includes]) => ({
    // A glob with `!` takes away from the globs before it.
    includes: includes.sort((a, b) => Number(a.startsWith('!')) - Number(b.startsWith('!')) || (a < b ? -1 : 1)),
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options: { patterns: JSON.parse(key) } } } } },
  }));
}

const SOURCES = '/*.ts';
const TESTS = '/*.test.ts';

/** The glob that takes a file together with others of its row: files at the top have a row each. */
function placeOf(file: string): string {
  if (!file.includes('/')) return `server/src/${file}`;
  return `server/src/${dirname(file)}${file.endsWith('.test.ts') ? TESTS : SOURCES}`;
}

/** An import is a text relative to `folder`, such as `../../store/store.ts`; of several patterns the last match decides. */
function patterns(border: Border, folder: string): object[] {
  const message = `${border.folder} may not import this; see ${PAGE}`;
  // Everything below the border's folder, or below a folder around it that it may import, is inside.
  const around = border.mayImport.filter((to) => border.folder.startsWith(`${to}/`));
  const inside = [border.folder, ...around].sort((a, b) => a.length - b.length)[0] ?? border.folder;
  const up = posix.relative(folder, inside);
  const outside = folder === '.' ? './**' : `${up === '' ? '' : `${up}/`}../**`;
  const allowed = [...OPEN_TO_ALL, ...border.mayImport.filter((to) => !around.includes(to))].map(
    (to) => `!${globTo(folder, to)}`,
  );
  const guarded = GUARDED_PACKAGES.filter(({ folders }) => !folders.includes(border.folder)).map(
    ({ packages, folders }) => ({ group: packages, message: `only ${folders.join(', ')} may import this package` }),
  );
  const excepted = (border.exceptRooms ?? []).map((room) => globTo(folder, room));
  return [{ group: [outside, ...allowed, ...excepted], message }, ...guarded];
}

function globTo(folder: string, to: string): string {
  const path = posix.relative(folder, to);
  const relative = path.startsWith('.') ? path : `./${path}`;
  return to.endsWith('.ts') ? relative : `${relative}/**`;
}

/** The table of folders for the architecture page, as Markdown: what each holds, then what each may import. */
export function bordersTable(): string {
  const holds = BORDERS.map(({ folder, holds }) => `| ${shown(folder)} | ${holds} |`);
  const imports = BORDERS.map(({ folder, mayImport, exceptRooms = [] }) => {
    const except = exceptRooms.length > 0 ? `, not ${namesBeside(folder, exceptRooms)}` : '';
    return `| ${shown(folder)} | ${namesBeside(folder, mayImport)}${except} |`;
  });
  const reasons = BORDERS.flatMap(({ folder, because = {} }) =>
    Object.entries(because).map(([to, reason]) => `| ${shown(folder)} | ${to} | ${reason} |`),
  );
  const tables = [
    ['| Folder | Holds |', '|---|---|', ...holds],
    ['| Folder | May import (a room: rooms beside it by their last name) |', '|---|---|', ...imports],
    ...(reasons.length > 0 ? [['| Folder | Imports | Because |', '|---|---|---|', ...reasons]] : []),
  ];
  return tables.map((lines) => lines.join('\n')).join('\n\n');
}

function shown(folder: string): string {
  return `\`${folder.endsWith('.ts') ? folder : `${folder}/`}\``;
}

function namesBeside(folder: string, mayImport: readonly string[]): string {
  const parent = `${dirname(folder)}/`;
  return mayImport.map((to) => (to.startsWith(parent) ? to.slice(parent.length) : to)).join(', ') || '–';
}
