import { dirname, posix } from 'node:path';
import {
  BORDERS,
  borderOf,
  bordersOfTest,
  CONSOLE_ENTRY_POINTS,
  meansRooms,
  OPEN_TO_ALL,
  packagesForbiddenToTest,
} from './borders.ts';

const PAGE = 'docs/architecture.md';

export type Override = { readonly includes: readonly string[]; readonly linter: object };

/** Biome's overrides: an allow-list for each folder of `files` (TypeScript files, paths relative to `server/src`). */
export function biomeOverrides(files: readonly string[]): Override[] {
  const includesOfPatterns = new Map<string, Set<string>>();
  for (const file of files) {
    const patterns = JSON.stringify(patternsOf(file));
    includesOfPatterns.set(patterns, (includesOfPatterns.get(patterns) ?? new Set()).add(placeOf(file)));
  }
  const overrides = [...includesOfPatterns].map(([patterns, places]) => {
    const includes = [...places].sort();
    const exceptTests = includes.filter((place) => place.endsWith(SOURCES)).map((place) => `!${testsBeside(place)}`);
    return override([...includes, ...exceptTests], JSON.parse(patterns));
  });
  return [...overrides, override(['console/src/**'], CONSOLE_PATTERNS)];
}

function override(includes: readonly string[], patterns: readonly object[]): Override {
  return {
    includes,
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options: { patterns } } } } },
  };
}

const SOURCES = '/*.ts';

/** The glob that takes a file together with others of its row: files at the top have a row each. */
function placeOf(file: string): string {
  if (!file.includes('/')) return `server/src/${file}`;
  const sources = `server/src/${dirname(file)}${SOURCES}`;
  return file.endsWith('.test.ts') ? testsBeside(sources) : sources;
}

function testsBeside(sources: string): string {
  return sources.replace(SOURCES, '/*.test.ts');
}

/**
 * Imports are texts relative to the file, such as `../../store/store.ts`, or names of packages. Of several patterns of a
 * group the last match decides.
 */
function patternsOf(file: string): object[] {
  const folder = dirname(file);
  const border = borderOf(file);
  const rows = border === undefined ? bordersOfTest(file) : [border];
  const inFolders = [
    ...new Set(
      rows.flatMap((row) => [
        // A test reaches the rooms of its folder, too.
        ...(border === undefined ? [`!${globTo(folder, row.folder, true)}`] : []),
        ...[...OPEN_TO_ALL, row.folder, ...row.mayImport].map(
          (to) => `!${globTo(folder, to, border === undefined || meansRooms(row, to))}`,
        ),
      ]),
    ),
  ];
  const packages =
    border === undefined
      ? packagesForbiddenToTest(file).flatMap((name) => [name, `${name}/**`])
      : ['**', '!./**', '!../**', ...(border.packages ?? []).flatMap(allowedPackage)];
  const subject = border === undefined ? 'tests here' : border.folder;
  return [
    {
      group: [...(border === undefined ? [] : ['./**']), '../**', ...inOrder(inFolders)],
      message: `${subject} may not import this; see ${PAGE}`,
    },
    { group: packages, message: `${subject} may not import this package; see ${PAGE}` },
  ];
}

/**
 * From near folders to far ones. A glob for all of a folder above, `../**`, matches paths that lead further up, too, so
 * these are forbidden again before the folders there are allowed.
 */
function inOrder(allowed: readonly string[]): string[] {
  const levels = [...new Set(allowed.map(levelsUp))].sort((a, b) => a - b);
  return levels.flatMap((level) => {
    const ofLevel = allowed.filter((glob) => levelsUp(glob) === level);
    const up = '../'.repeat(level);
    return level > 0 && ofLevel.includes(`!${up}**`) ? [...ofLevel, `${up}../**`] : ofLevel;
  });
}

function levelsUp(glob: string): number {
  return glob.split('../').length - 1;
}

function allowedPackage(name: string): string[] {
  return name === 'node:' ? ['!node:*', '!node:*/**'] : [`!${name}`, `!${name}/**`];
}

/** The glob for a file, for a folder's own files, or for these and all folders inside. */
function globTo(folder: string, to: string, withRooms: boolean): string {
  const path = posix.relative(folder, to);
  const relative = path.startsWith('.') ? path : `./${path}`;
  if (to.endsWith('.ts')) return relative;
  return `${relative.replace(/\/$/, '')}/${withRooms ? '**' : '*.ts'}`;
}

const CONSOLE_PATTERNS = [
  {
    group: [
      'openray',
      'openray/**',
      ...CONSOLE_ENTRY_POINTS.map((name) => `!${name}`),
      '**/server/src/**',
      '**/server/dist/**',
    ],
    message: `the console imports these of the server: ${CONSOLE_ENTRY_POINTS.join(', ')}; see ${PAGE}`,
  },
  { group: ['node:*', 'node:*/**'], message: 'the console runs in a browser' },
];

/** The table of folders for the architecture page, as Markdown: what each holds, then what each may import. */
export function bordersTable(): string {
  const holds = BORDERS.map(({ folder, holds }) => `| ${shown(folder)} | ${holds} |`);
  const imports = BORDERS.map(({ folder, mayImport }) => `| ${shown(folder)} | ${namesBeside(folder, mayImport)} |`);
  const packages = BORDERS.flatMap(({ folder, packages: names = [] }) =>
    names.length > 0 ? [`| ${shown(folder)} | ${names.join(', ')} |`] : [],
  );
  const reasons = BORDERS.flatMap(({ folder, because = {} }) =>
    Object.entries(because).map(([to, reason]) => `| ${shown(folder)} | ${namesBeside(folder, [to])} | ${reason} |`),
  );
  const tables = [
    ['| Folder | Holds |', '|---|---|', ...holds],
    ['| Folder | May import (rooms of the same folder by their last name) |', '|---|---|', ...imports],
    ['| Folder | Imports | Reason |', '|---|---|---|', ...reasons],
    [
      '| Folder | May import of npm (`node:` stands for all modules of Node); all others: nothing |',
      '|---|---|',
      ...packages,
      `| \`console/src/\` | ${CONSOLE_ENTRY_POINTS.join(', ')} and its own packages, no module of Node |`,
    ],
  ];
  return tables.map((lines) => lines.join('\n')).join('\n\n');
}

function shown(folder: string): string {
  return `\`${folder.endsWith('.ts') ? folder : `${folder}/`}\``;
}

function namesBeside(folder: string, mayImport: readonly string[]): string {
  const parents = [`${folder}/`, `${dirname(folder)}/`];
  const shortened = mayImport.map((to) => to.slice(parents.find((parent) => to.startsWith(parent))?.length ?? 0));
  return shortened.join(', ') || '–';
}
