import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alg, Graph } from '@dagrejs/graphlib';
import { parseSync, Visitor } from 'oxc-parser';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** One import between two files of the repository, type imports included; paths from the repository's root. */
export type Import = { readonly from: string; readonly to: string };

export type FolderStructure = {
  readonly folder: string;
  /** Source files below the folder; tests and `testing/` folders do not count. */
  readonly files: number;
  /** The folder's own files and subfolders: what a reader sees first. */
  readonly entries: number;
  /** Pairs of entries of which the first imports the second. */
  readonly dependencies: number;
  /** Groups of entries that import each other, directly or by way of others. */
  readonly circles: readonly (readonly string[])[];
  /** Entries on the longest chain of imports; a circle counts as one. */
  readonly levels: number;
};

/** Whether a file is for tests only: a test, its builders, a golden file. */
export function isForTests(path: string): boolean {
  return /\.test\.tsx?$|\/testing\//.test(path);
}

/** Every TypeScript file below `folder` that git tracks or would track. */
export function sourceFiles(folder: string): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', folder], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\n'))].filter((path) => /\.tsx?$/.test(path)).sort();
}

/** The relative imports of `files`: static, dynamic, re-exports, and types such as `import('./x.ts').Y`. */
export function readImports(files: readonly string[]): Import[] {
  return files.flatMap((from) =>
    readSpecifiers(from)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => ({ from, to: posix.join(dirname(from), specifier) })),
  );
}

/** The packages and modules of Node that `files` import; `to` is the specifier. */
export function readPackageImports(files: readonly string[]): Import[] {
  return files.flatMap((from) =>
    readSpecifiers(from)
      .filter((specifier) => !specifier.startsWith('.'))
      .map((to) => ({ from, to })),
  );
}

function readSpecifiers(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), 'utf8');
  const { module, program } = parseSync(file, text);
  const ofTypes: string[] = [];
  new Visitor({
    TSImportType: ({ source }) => {
      ofTypes.push(source.value);
    },
  }).visit(program);
  const specifiers = [
    ...ofTypes,
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value)),
    // A dynamic import gives only its place in the text. One of an expression cannot be resolved here.
    ...module.dynamicImports.map(
      ({ moduleRequest: { start, end } }) => /^(['"])(.*)\1$/.exec(text.slice(start, end))?.[2],
    ),
  ];
  return [...new Set(specifiers.filter((specifier) => specifier !== undefined))];
}

/** `server/src`, `server/src/query`, … of a file of the server. */
export function foldersAbove(file: string): string[] {
  const parts = file.split('/');
  return parts.slice(2).map((_, index) => parts.slice(0, index + 2).join('/'));
}

/** How the entries of `folder` depend on each other. */
export function folderStructure(folder: string, imports: readonly Import[], files: readonly string[]): FolderStructure {
  const inside = files.filter((file) => file.startsWith(`${folder}/`) && !isForTests(file));
  const entryOf = (file: string): string => file.slice(folder.length + 1).split('/')[0] ?? file;
  const graph = new Graph({ directed: true });
  for (const file of inside) graph.setNode(entryOf(file));
  const known = new Set(inside);
  for (const { from, to } of imports) {
    if (known.has(from) && known.has(to) && entryOf(from) !== entryOf(to)) graph.setEdge(entryOf(from), entryOf(to));
  }
  return {
    folder,
    files: inside.length,
    entries: graph.nodeCount(),
    dependencies: graph.edgeCount(),
    circles: alg.findCycles(graph),
    levels: levelsOf(graph),
  };
}

/** Nodes on the longest chain, counted over groups of nodes that reach each other. */
function levelsOf(graph: Graph): number {
  const groups = alg.tarjan(graph);
  const groupOf = new Map(groups.flatMap((nodes, group) => nodes.map((node) => [node, group] as const)));
  const levels: number[] = [];
  // Tarjan's algorithm yields a group after every group that it reaches.
  for (const [group, nodes] of groups.entries()) {
    const reached = nodes
      .flatMap((node) => graph.successors(node) ?? [])
      .flatMap((node) => groupOf.get(node) ?? [])
      .filter((other) => other !== group);
    levels[group] = 1 + Math.max(0, ...reached.map((other) => levels[other] ?? 0));
  }
  return Math.max(0, ...levels);
}

/** Groups of files that import each other in a circle. */
export function fileCircles(imports: readonly Import[]): string[][] {
  const graph = new Graph({ directed: true });
  for (const { from, to } of imports) graph.setEdge(from, to);
  return alg.findCycles(graph);
}
