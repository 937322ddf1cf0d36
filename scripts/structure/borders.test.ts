import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { withBorders, withTable } from './border-files.ts';
import {
  BORDERS,
  borderOf,
  consoleMayImport,
  covers,
  isOfPackage,
  mayImport,
  mayImportPackage,
  OPEN_TO_ALL,
} from './borders.ts';
import {
  fileCircles,
  folderStructure,
  foldersAbove,
  isForTests,
  REPOSITORY,
  readImports,
  readPackageImports,
  sourceFiles,
} from './import-graph.ts';

const SOURCE = 'server/src/';
const BIOME = join(REPOSITORY, 'node_modules/.bin/biome');

type Diagnostic = {
  readonly category: string;
  readonly location: { readonly path: string; readonly start: { readonly line: number } };
};

const files = sourceFiles('server/src');
const imports = readImports(files);
const packageImports = readPackageImports(files);

function read(file: string): string {
  return readFileSync(join(REPOSITORY, file), 'utf8');
}

test('every import of the server is one that the table of borders allows', () => {
  const forbidden = imports
    .map(({ from, to }) => ({ from: from.slice(SOURCE.length), to: to.slice(SOURCE.length) }))
    .filter(({ from, to }) => !mayImport(from, to));
  expect(forbidden).toEqual([]);
});

test('every package that the server imports is one that the table of borders allows', () => {
  const forbidden = packageImports
    .map(({ from, to }) => ({ from: from.slice(SOURCE.length), to }))
    .filter(({ from, to }) => !mayImportPackage(from, to));
  expect(forbidden).toEqual([]);
});

test('the console imports only entry points for it, and no module of Node', () => {
  const forbidden = readPackageImports(sourceFiles('console/src')).filter(({ to }) => !consoleMayImport(to));
  expect(forbidden).toEqual([]);
});

test('the entry points for the console reach no module of Node', () => {
  const reached = new Set(['model/index.ts', 'filter/index.ts', 'api/types.ts'].map((path) => SOURCE + path));
  for (const file of reached) {
    for (const { from, to } of imports) if (from === file) reached.add(to);
  }
  expect(reached.size).toBeGreaterThan(20);
  expect(packageImports.filter(({ from, to }) => reached.has(from) && to.startsWith('node:'))).toEqual([]);
});

test('every folder of the server has a row of its own', () => {
  const sources = files.map((path) => path.slice(SOURCE.length)).filter((path) => !isForTests(path));
  expect(sources.filter((path) => borderOf(path) === undefined)).toEqual([]);
});

test('files that every folder may import, import nothing of openray', () => {
  expect(imports.filter(({ from }) => OPEN_TO_ALL.includes(from.slice(SOURCE.length)))).toEqual([]);
});

test('no row of the table allows an import that the code does not make', () => {
  const made = imports.map(({ from, to }) => ({
    row: borderOf(from.slice(SOURCE.length)),
    to: to.slice(SOURCE.length),
  }));
  const madeOfPackages = packageImports.map(({ from, to }) => ({ row: borderOf(from.slice(SOURCE.length)), to }));
  const unused = BORDERS.flatMap((border) => {
    const { folder, mayImport: allowed, packages = [] } = border;
    return [
      ...allowed.filter((name) => !made.some(({ row, to }) => row === border && covers(border, name, to))),
      ...packages.filter((name) => !madeOfPackages.some(({ row, to }) => row === border && isOfPackage(to, name))),
    ].map((name) => `${folder} -> ${name}`);
  });
  expect(unused).toEqual([]);
});

/** Imports that break a border, each of its own kind: the file below the repository's root, then the specifier. */
const FORBIDDEN = [
  ['server/src/model/trace.ts', 'node:fs'],
  ['server/src/model/trace.ts', 'node:fs/promises'],
  ['server/src/filter/parser.ts', 'node:crypto'],
  ['server/src/model/otlp/to-xray/name.ts', 'node:fs'],
  ['server/src/filter/parser.ts', 'zod'],
  ['server/src/query/groups.ts', '@clickhouse/client'],
  ['server/src/query/groups.ts', '@clickhouse/client-common'],
  ['server/src/store/write/rows.ts', '@clickhouse/client'],
  ['server/src/store/engine/remote.ts', '@clickhouse/client-common'],
  ['server/src/store/engine/remote.ts', '../write/rows.ts'],
  ['server/src/store/engine/remote.ts', 'chdb'],
  ['server/src/query/groups.ts', 'chdb'],
  ['server/src/query/groups.test.ts', 'chdb/libchdb'],
  ['server/src/cli/serve.ts', 'openray/model'],
  ['server/src/cli/serve.test.ts', 'openray/testing'],
  ['server/src/model/trace.ts', '../store/store.ts'],
  ['server/src/model/trace.ts', './otlp/to-otlp/resource.ts'],
  ['server/src/model/otlp/nanos.ts', './wire/encode.ts'],
  ['server/src/query/groups.ts', './traces/sort-key.ts'],
  ['server/src/query/traces/sort-key.ts', '../groups.ts'],
  ['server/src/query/traces/sort-key.ts', '../service-graph/roll-up.ts'],
  ['server/src/api/fields.ts', './jaeger/route.ts'],
  ['server/src/api/xray/wire.ts', '../openray/get-span.ts'],
  ['server/src/config.ts', './compose/server.ts'],
  ['server/src/errors.ts', './config.ts'],
  ['server/src/query/oracle.test.ts', '../lambda/spec/function-spec.ts'],
  ['server/src/query/traces/sort-key.test.ts', '../../lambda/spec/function-spec.ts'],
  ['server/src/lambda/invoke/extensions.test.ts', '../../compose/server.ts'],
  ['server/src/model/otlp/wire/encode.test.ts', '../../../store/store.ts'],
  ['server/src/model/testing/arbitrary-trace.ts', '../../store/store.ts'],
  ['server/src/store/write/rows.test.ts', '../../query/groups.ts'],
  ['console/src/routes.tsx', 'openray/testing'],
  ['console/src/routes.tsx', 'openray'],
  ['console/src/routes.tsx', 'node:path'],
  ['console/src/routes.tsx', '../../server/src/model/trace.ts'],
] as const;

/** Imports that look like one of these and are allowed. */
const ALLOWED = [
  ['server/src/model/otlp/to-xray/name.ts', 'node:crypto'],
  ['server/src/store/engine/remote.ts', '@clickhouse/client'],
  ['server/src/store/engine/embedded/sessions.ts', 'chdb'],
  ['server/src/http/app.ts', '@fastify/static'],
  ['server/src/model/otlp/wire/encode.ts', 'protobufjs/minimal.js'],
  ['server/src/model/otlp/wire/encode.ts', '../../trace-id.ts'],
  ['server/src/api/fields.ts', './xray/wire.ts'],
  ['server/src/query/traces/sort-key.ts', '../interval-sql.ts'],
  ['server/src/api/xray/wire.ts', '../../query/traces/sort-key.ts'],
  ['server/src/query/oracle.test.ts', './traces/sort-key.ts'],
  ['server/src/query/traces/sort-key.test.ts', '../service-graph/roll-up.ts'],
  ['server/src/query/traces/sort-key.test.ts', '../../model/trace.ts'],
  ['server/src/lambda/invoke/extensions.test.ts', '../runtime/sandbox.ts'],
  ['server/src/model/otlp/wire/encode.test.ts', '../../trace.ts'],
  ['server/src/query/oracle.test.ts', 'fast-check'],
  ['server/src/store/engine/embedded/embedded.test.ts', 'chdb/libchdb'],
  ['server/src/errors.ts', './stats.ts'],
  ['console/src/routes.tsx', 'openray/model'],
  ['console/src/routes.tsx', './pages/server/page.tsx'],
] as const;

test('the table refuses each kind of import across a border', () => {
  expect(FORBIDDEN.filter(isAllowed)).toEqual([]);
  expect(ALLOWED.filter((example) => !isAllowed(example))).toEqual([]);
});

function isAllowed([file, specifier]: readonly [string, string]): boolean {
  const target = posix.join(posix.dirname(file), specifier);
  if (!file.startsWith(SOURCE))
    return specifier.startsWith('.') ? !target.startsWith(SOURCE) : consoleMayImport(specifier);
  const from = file.slice(SOURCE.length);
  return specifier.startsWith('.') ? mayImport(from, target.slice(SOURCE.length)) : mayImportPackage(from, specifier);
}

test('the linter refuses the same imports', () => {
  const directory = mkdtempSync(join(tmpdir(), 'openray-borders-'));
  try {
    const settings = JSON.parse(read('biome.json')) as { overrides: object[] };
    writeFileSync(
      join(directory, 'biome.json'),
      JSON.stringify({ linter: { rules: { preset: 'none' } }, overrides: settings.overrides }),
    );
    // One import a line: its line number says which one is refused.
    const examples = [...FORBIDDEN, ...ALLOWED];
    const lines = new Map<string, string[]>();
    for (const [file, specifier] of examples) lines.set(file, [...(lines.get(file) ?? []), specifier]);
    for (const [file, specifiers] of lines) {
      mkdirSync(join(directory, posix.dirname(file)), { recursive: true });
      writeFileSync(join(directory, file), specifiers.map((specifier) => `import '${specifier}';\n`).join(''));
    }
    const { stdout } = spawnSync(BIOME, ['lint', '--reporter=json', '--max-diagnostics=none', '.'], {
      cwd: directory,
      encoding: 'utf8',
    });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
    const refused = diagnostics.map(({ location: { path, start } }) => [path, lines.get(path)?.[start.line - 1]]);
    expect(diagnostics.filter(({ category }) => category !== 'lint/style/noRestrictedImports')).toEqual([]);
    expect(new Set(refused.map(String))).toEqual(new Set(FORBIDDEN.map(String)));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a folder imports from rows above it', () => {
  const order = BORDERS.map(({ folder }) => folder);
  const upward = BORDERS.flatMap(({ folder, mayImport: allowed, because = {} }) =>
    allowed
      .filter((to) => order.indexOf(to) > order.indexOf(folder) && !(to in because))
      .map((to) => `${folder} -> ${to}`),
  );
  expect(upward).toEqual([]);
});

test('the linter and the architecture page have the same table', () => {
  expect(JSON.parse(read('biome.json'))).toEqual(JSON.parse(withBorders(read('biome.json'))));
  expect(read('docs/architecture.md')).toBe(withTable(read('docs/architecture.md')));
});

test('no file imports itself by way of others, type imports included', () => {
  expect(fileCircles(imports)).toEqual([]);
});

test('no folder of the server has a circle between its files and rooms', () => {
  const sources = files.filter((file) => !isForTests(file));
  const folders = new Set(sources.flatMap((file) => foldersAbove(file)));
  const circles = [...folders].flatMap((folder) => folderStructure(folder, imports, sources).circles);
  expect(circles).toEqual([]);
});

test('the product imports no builder of tests', () => {
  const wrong = imports.filter(({ from, to }) => !isForTests(from) && isForTests(to));
  expect(wrong).toEqual([]);
});

test('the rooms of lambda/ have no circle and at most five levels', () => {
  const sources = files.filter((file) => !isForTests(file));
  const { circles, levels } = folderStructure('server/src/lambda', imports, sources);
  expect(circles).toEqual([]);
  expect(levels).toBeLessThanOrEqual(5);
});
