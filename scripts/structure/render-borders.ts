import { dirname, posix } from 'node:path';
import { BORDERS, type Border, borderOf, GUARDED_PACKAGES, OPEN_TO_ALL } from './borders.ts';

const PAGE = 'docs/architecture.md';

export type Override = { readonly includes: readonly string[]; readonly linter: object };

/** Biome's overrides: an allow-list for each folder of `files` (TypeScript files, paths relative to `server/src`). */
export function biomeOverrides(files: readonly string[]): Override[] {
  const patternsOfPlace = new Map<string, readonly object[]>();
  for (const file of files) {
    const border = borderOf(file);
    const isAtTop = !file.includes('/');
    if (border !== undefined)
      patternsOfPlace.set(isAtTop ? file : `${dirname(file)}/*.ts`, patterns(border, dirname(file)));
  }
  const placesOfPatterns = new Map<string, string[]>();
  for (const [place, list] of patternsOfPlace) {
    const key = JSON.stringify(list);
    placesOfPatterns.set(key, [...(placesOfPatterns.get(key) ?? []), `server/src/${place}`]);
  }
  return [...placesOfPatterns].map(([key, includes]) => ({
    includes: includes.sort(),
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options: { patterns: JSON.parse(key) } } } } },
  }));
}

/** An import is a text relative to `folder`, such as `../../store/store.ts`; of several patterns the last match decides. */
function patterns(border: Border, folder: string): object[] {
  const message = `${border.folder} may not import this; see ${PAGE}`;
  const own = posix.relative(folder, border.folder);
  const isInside = own === '' || /^[./]+$/.test(own);
  const outside = folder === '.' ? './**' : `${isInside && own !== '' ? `${own}/` : ''}../**`;
  const allowed = [...OPEN_TO_ALL, ...border.mayImport].map((to) => `!${globTo(folder, to)}`);
  const guarded = GUARDED_PACKAGES.filter(({ folders }) => !folders.includes(border.folder)).map(
    ({ packages, folders }) => ({ group: packages, message: `only ${folders.join(', ')} may import this package` }),
  );
  return [{ group: [outside, ...allowed], message }, ...guarded];
}

function globTo(folder: string, to: string): string {
  const path = posix.relative(folder, to);
  const relative = path.startsWith('.') ? path : `./${path}`;
  return to.endsWith('.ts') ? relative : `${relative}/**`;
}

/** The table of folders for the architecture page, as Markdown. */
export function bordersTable(): string {
  const rows = BORDERS.map(
    ({ folder, holds, mayImport }) =>
      `| \`${folder.endsWith('.ts') ? folder : `${folder}/`}\` | ${holds} | ${mayImport.join(', ') || '–'} |`,
  );
  const reasons = BORDERS.flatMap(({ folder, because = {} }) =>
    Object.entries(because).map(([to, reason]) => `- \`${folder}\` imports \`${to}\`: ${reason}.`),
  );
  return [
    '| Folder | Holds | May import |',
    '|---|---|---|',
    ...rows,
    ...(reasons.length > 0 ? ['', ...reasons] : []),
  ].join('\n');
}
