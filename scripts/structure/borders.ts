import { dirname } from 'node:path';
import { isForTests } from './import-graph.ts';

/** What a folder of `server/src` is and what its own files may import. A folder inside it has a row of its own. */
export type Border = {
  readonly folder: string;
  readonly holds: string;
  /**
   * Folders and files of `server/src`, beside the folder's own files. A folder is meant with the folders inside it; in
   * the same outermost folder it is meant without them.
   */
  readonly mayImport: readonly string[];
  /** Packages of npm with their entry points, or all of a scope; `node:` for every module of Node. */
  readonly packages?: readonly string[];
  /**
   * Reasons for imports that a reader would not expect: against the order from top to bottom, or past the folder
   * between two. Keys are members of `mayImport`.
   */
  readonly because?: Readonly<Record<string, string>>;
};

/** Files that import nothing of openray and that every folder may import. */
export const OPEN_TO_ALL = ['errors.ts', 'stats.ts'];

/** Entry points of the server's package that the console may import. It runs in a browser, without Node's modules. */
export const CONSOLE_ENTRY_POINTS = ['openray/api-types', 'openray/filter', 'openray/model'];

/** Packages that a test may import only in a folder whose row names them; of all others a test may import any. */
const ENGINES = ['chdb', '@clickhouse/client'];

/** One row a folder, in order: a folder imports from the rows above it, as far as its row names them. */
export const BORDERS: readonly Border[] = [
  { folder: 'errors.ts', holds: 'every failure: code, status of each protocol', mayImport: [] },
  { folder: 'stats.ts', holds: 'every counter', mayImport: [] },
  {
    folder: 'package',
    holds: 'where the files of the package are: its program, migrations, runtimes and console',
    mayImport: [],
    packages: ['node:url'],
  },
  {
    folder: 'model',
    holds: 'documents, traces, service graphs, summaries, root causes: types and pure functions',
    mayImport: ['model/otlp', 'model/otlp/wire', 'model/otlp/to-xray', 'model/otlp/documents'],
    because: {
      'model/otlp': "Jaeger's form is made from spans of OpenTelemetry",
      'model/otlp/wire': 'the spans of a trace become one message',
      'model/otlp/to-xray': 'a document and a span derive ids by one rule',
      'model/otlp/documents': 'a trace is assembled from documents in either form',
    },
  },
  { folder: 'model/otlp', holds: 'values, times and ids of spans, for the rooms below', mayImport: ['model'] },
  {
    folder: 'model/otlp/wire',
    holds: "encodings of OpenTelemetry's messages",
    mayImport: ['model'],
    packages: ['protobufjs'],
  },
  {
    folder: 'model/otlp/to-xray',
    holds: "a span to X-Ray's entities",
    mayImport: ['model', 'model/otlp'],
    packages: ['node:crypto'],
  },
  { folder: 'model/otlp/to-otlp', holds: 'an entity of X-Ray to a span', mayImport: ['model', 'model/otlp'] },
  {
    folder: 'model/otlp/round-trip',
    holds: 'either form to the other and back without a loss',
    mayImport: ['model', 'model/otlp', 'model/otlp/to-xray', 'model/otlp/to-otlp'],
    packages: ['node:crypto'],
  },
  {
    folder: 'model/otlp/documents',
    holds: 'spans as they are stored, and all spans of a trace',
    mayImport: ['model', 'model/otlp', 'model/otlp/wire', 'model/otlp/to-xray', 'model/otlp/round-trip'],
  },
  {
    folder: 'request-origin.ts',
    holds: 'which web pages and host names may reach an HTTP listener; one pure rule for all',
    mayImport: [],
    packages: ['node:http'],
  },
  {
    folder: 'filter',
    holds: 'filter expressions: parser, evaluation, completions; pure',
    mayImport: ['model'],
    packages: ['re2js'],
  },
  {
    folder: 'store',
    holds: 'the interface of the store, the `sql` tag, shared objects; opens all parts of the store',
    mayImport: [
      'model',
      'package',
      'store/engine',
      'store/engine/embedded',
      'store/journal',
      'store/write',
      'store/schema',
      'store/maintenance',
    ],
    packages: ['node:'],
    because: {
      'store/engine': 'the interface has types of the engine, and open-store.ts opens it',
      'store/engine/embedded': 'open-store.ts opens it',
      'store/journal': 'open-store.ts opens it, restore.ts looks for its files',
      'store/write': 'open-store.ts opens it',
      'store/schema': 'open-store.ts and restore.ts migrate',
      'store/maintenance': 'open-store.ts and restore.ts open it',
    },
  },
  {
    folder: 'store/engine',
    holds: 'the interface of ClickHouse; a remote one or a cluster; its errors, damaged parts',
    mayImport: ['store'],
    packages: ['node:', '@clickhouse/client'],
  },
  {
    folder: 'store/engine/embedded',
    holds: 'ClickHouse in a process of its own: requests to it, its restarts, its data directory',
    mayImport: ['package', 'store', 'store/engine'],
    packages: ['node:', 'chdb', 'esbuild'],
  },
  {
    folder: 'store/journal',
    holds: 'files of records that wait for their insert: encoding, writing, reading after a crash',
    mayImport: [],
    packages: ['node:'],
  },
  {
    folder: 'store/write',
    holds: 'documents and roll-ups to bytes of rows; group commit; replay of the journal',
    mayImport: ['model', 'store', 'store/engine', 'store/journal'],
    packages: ['node:'],
  },
  {
    folder: 'store/schema',
    holds: 'migrations; which shard keeps a trace',
    mayImport: ['store', 'store/engine'],
    packages: ['node:'],
  },
  {
    folder: 'store/maintenance',
    holds: 'retention, backups, usage of the disk; the lock by which they exclude each other',
    mayImport: ['store', 'store/engine'],
    packages: ['node:'],
  },
  {
    folder: 'ingest',
    holds: 'bytes of each protocol to documents, and `accept`',
    mayImport: ['model', 'store'],
    packages: ['node:', 'pino', 'zod'],
  },
  {
    folder: 'query',
    holds: 'one file a question: its SQL, its rows, its answer',
    mayImport: ['model', 'filter', 'store'],
    packages: ['node:'],
  },
  {
    folder: 'query/traces',
    holds: 'lists and single traces: prefilter, candidate scan, sort keys, loading',
    mayImport: ['model', 'filter', 'store', 'query/interval-sql.ts'],
    packages: ['node:'],
  },
  {
    folder: 'query/service-graph',
    holds: 'service graphs and time series of a window; roll-ups and their worker',
    mayImport: ['model', 'filter', 'store', 'query/interval-sql.ts', 'query/traces'],
    packages: ['node:'],
  },
  {
    folder: 'query/retention',
    holds: 'retention rules, and their application to stored traces',
    mayImport: ['model', 'filter', 'store', 'query/groups.ts', 'query/traces', 'query/service-graph'],
    packages: ['node:'],
  },
  {
    folder: 'query/jaeger',
    holds: "searches and dependencies of Jaeger's API",
    mayImport: ['model', 'store', 'query/interval-sql.ts', 'query/traces', 'query/service-graph'],
  },
  { folder: 'sampling', holds: 'sampling rules and targets', mayImport: ['store'], packages: ['node:'] },
  {
    folder: 'forward',
    holds: 'copies of stored documents, sent to AWS X-Ray or an OpenTelemetry backend',
    mayImport: ['model'],
    packages: ['node:', '@aws-sdk/client-xray', '@grpc/grpc-js', 'protobufjs'],
  },
  {
    folder: 'api',
    holds: 'the list of all operations, and fields, tokens and wire types that they share',
    mayImport: ['model', 'ingest', 'query', 'sampling', 'api/xray', 'api/openray'],
    packages: ['node:', 'zod'],
    because: { 'api/xray': 'operations.ts lists them', 'api/openray': 'operations.ts lists them' },
  },
  {
    folder: 'api/xray',
    holds: "X-Ray's API: one file an operation, with its input and its steps",
    mayImport: ['model', 'filter', 'ingest', 'query', 'sampling', 'api'],
    packages: ['zod'],
  },
  {
    folder: 'api/openray',
    holds: "openray's own operations: status, metrics, events, backups, waiting for a trace",
    mayImport: ['model', 'filter', 'store', 'ingest', 'query', 'api', 'api/xray'],
    packages: ['prom-client', 'zod'],
  },
  {
    folder: 'api/otlp',
    holds: 'a trace as spans of OpenTelemetry',
    mayImport: ['model', 'store', 'query'],
  },
  {
    folder: 'api/jaeger',
    holds: "Jaeger's API, versions 1 and 3",
    mayImport: ['model', 'store', 'query'],
    packages: ['zod'],
  },
  {
    folder: 'api/export',
    holds: 'the export of traces of a time interval',
    mayImport: ['model', 'filter', 'store', 'query', 'api'],
    packages: ['zod'],
  },
  {
    folder: 'http',
    holds: 'adapters from HTTP and gRPC to `api` and `ingest`: routes, encodings, errors; the console',
    mayImport: ['request-origin.ts', 'ingest', 'api'],
    packages: ['node:', 'fastify', '@fastify', '@grpc/grpc-js', '@bokuweb/zstd-wasm', 'protobufjs', 'zod'],
  },
  {
    folder: 'lambda',
    holds: 'runs functions as Lambda does and sends their segments over UDP, as every client does',
    mayImport: [],
  },
  {
    folder: 'lambda/spec',
    holds: 'a template as plain data: functions, routes, services; the interface of the Lambda service',
    mayImport: ['model'],
    packages: ['node:'],
  },
  {
    folder: 'lambda/template',
    holds: 'SAM and CloudFormation templates to specs: macros, intrinsic functions, events',
    mayImport: ['model', 'lambda/spec'],
    packages: ['node:', 'yaml'],
  },
  {
    folder: 'lambda/build',
    holds: 'makes code ready to run: esbuild, make, results of `sam build`',
    mayImport: ['model', 'lambda/spec'],
    packages: ['node:', 'esbuild', 'yauzl'],
  },
  {
    folder: 'lambda/tracing',
    holds: 'sampling decisions, segments of Lambda, the UDP client that sends them',
    mayImport: ['model', 'lambda/spec'],
    packages: ['node:'],
  },
  {
    folder: 'lambda/api',
    holds: "Lambda's HTTP API, the output of `sam remote invoke`",
    mayImport: ['model', 'lambda/spec'],
    packages: ['node:'],
  },
  {
    folder: 'lambda/runtime',
    holds: 'the processes of a function: sandbox, Runtime API, extensions, environment variables',
    mayImport: ['model', 'request-origin.ts', 'lambda/spec', 'lambda/tracing'],
    packages: ['node:'],
  },
  {
    folder: 'lambda/services',
    holds: 'queues, topics, event rules and schedules, in memory',
    mayImport: ['model', 'request-origin.ts', 'lambda/spec', 'lambda/api'],
    packages: ['node:', '@aws-sdk/credential-provider-node', '@smithy/signature-v4'],
  },
  {
    folder: 'lambda/gateway',
    holds: 'API Gateway and function URLs: routes, events, authorizers, responses',
    mayImport: ['model', 'lambda/spec', 'lambda/tracing'],
    packages: ['node:'],
  },
  {
    folder: 'lambda/invoke',
    holds: 'opens the Lambda service: functions, their environments, invocations, events, logs',
    mayImport: [
      'model',
      'lambda/spec',
      'lambda/template',
      'lambda/build',
      'lambda/tracing',
      'lambda/runtime',
      'lambda/services',
    ],
    packages: ['node:'],
  },
  { folder: 'config.ts', holds: 'every setting', mayImport: ['store', 'forward'], packages: ['node:', 'yaml', 'zod'] },
  {
    folder: 'compose',
    holds: 'opens, connects and closes all parts: the server, functions, a restore',
    mayImport: ['package', 'config.ts', 'store', 'ingest', 'query', 'sampling', 'forward', 'http', 'lambda'],
    packages: ['node:', 'pino'],
  },
  {
    folder: 'client',
    holds: 'asks a running openray: invoke, wait for a trace',
    mayImport: ['model', 'filter', 'api', 'lambda/spec'],
    because: {
      api: 'a client reads the wire types that the operations write',
      'lambda/spec': 'an invocation by HTTP has the result of a local one',
    },
  },
  {
    folder: 'test-kit',
    holds: '`openray/testing`: a server for tests, expectations about traces',
    mayImport: ['model', 'package', 'filter', 'client'],
    packages: ['node:', 'vitest', 'yaml', 'zod'],
  },
  {
    folder: 'cli/sample-events',
    holds: 'events of AWS services for `generate-event`; pure',
    mayImport: [],
    packages: ['node:crypto', 'node:zlib', 'aws-lambda'],
  },
  {
    folder: 'cli',
    holds: 'one file a command',
    mayImport: [
      'model',
      'package',
      'forward',
      'api',
      'lambda',
      'config.ts',
      'compose',
      'client',
      'test-kit',
      'cli/sample-events',
    ],
    packages: ['node:', 'commander', 'pino', 'smol-toml', 'yaml'],
    because: {
      model: 'commands print trees, ids and exact numbers as the model does',
      forward: '`import` and `export` send to other backends',
      api: 'commands print the wire types of responses',
      lambda: '`invoke`, `validate` and `start-api` run a template without a server',
    },
  },
];

/** The row of a source file, by its path below `server/src`; tests have none. */
export function borderOf(path: string): Border | undefined {
  if (isForTests(path)) return undefined;
  const folder = path.includes('/') ? dirname(path) : path;
  return BORDERS.find((border) => border.folder === folder);
}

/** Rows of the outermost folder around a test: it runs a room together with others, and nothing imports it. */
export function bordersOfTest(path: string): readonly Border[] {
  return BORDERS.filter(({ folder }) => isWithin(folder, outermost(path)));
}

/** Whether a file may import another; both relative to `server/src`. */
export function mayImport(from: string, to: string): boolean {
  if (OPEN_TO_ALL.includes(to)) return true;
  if (!from.includes('/') && isForTests(from)) return true;
  const border = borderOf(from);
  if (border !== undefined) return [border.folder, ...border.mayImport].some((allowed) => covers(border, allowed, to));
  return bordersOfTest(from).some((row) => [row.folder, ...row.mayImport].some((allowed) => isWithin(to, allowed)));
}

/** Whether an import of `to` is one that `allowed` names in the row of `border`. */
export function covers(border: Border, allowed: string, to: string): boolean {
  return meansRooms(border, allowed) ? isWithin(to, allowed) : to === allowed || dirname(to) === allowed;
}

/** Whether a folder that a row names is meant with its rooms. */
export function meansRooms({ folder }: Border, allowed: string): boolean {
  return outermost(folder) !== outermost(allowed);
}

function outermost(path: string): string {
  return path.split('/')[0] ?? path;
}

/** Whether a file of `server/src` may import a package or a module of Node. */
export function mayImportPackage(from: string, specifier: string): boolean {
  const border = borderOf(from);
  if (border === undefined) return !packagesForbiddenToTest(from).some((name) => isOfPackage(specifier, name));
  return (border.packages ?? []).some((name) => isOfPackage(specifier, name));
}

/** Packages that a test may not import: its own under the name that users import, and the engines outside of the store. */
export function packagesForbiddenToTest(path: string): readonly string[] {
  const named = new Set(bordersOfTest(path).flatMap(({ packages = [] }) => packages));
  return ['openray', ...ENGINES.filter((name) => !named.has(name))];
}

/** Whether the console may import a package or a module of Node. */
export function consoleMayImport(specifier: string): boolean {
  if (isOfPackage(specifier, 'openray')) return CONSOLE_ENTRY_POINTS.includes(specifier);
  return !isOfPackage(specifier, 'node:') && !specifier.includes('/server/src/');
}

/** Whether a specifier is of a package, a scope or, for `node:`, of Node. */
export function isOfPackage(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(name.endsWith(':') ? name : `${name}/`);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
