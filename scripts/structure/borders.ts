import { isForTests } from './import-graph.ts';

/** What a folder of `server/src` is and which others it may import; a row for a subfolder narrows its parent's row. */
export type Border = {
  readonly folder: string;
  readonly holds: string;
  /** Folders and files of `server/src`. `errors.ts` and `stats.ts` import nothing, so every folder may import them. */
  readonly mayImport: readonly string[];
  /** Rooms within these folders that it may not import. */
  readonly exceptRooms?: readonly string[];
  /** Why an import that breaks the order from top to bottom is allowed; keys are members of `mayImport`. */
  readonly because?: Readonly<Record<string, string>>;
};

/** Files that import nothing of openray and that every folder may import. */
export const OPEN_TO_ALL = ['errors.ts', 'stats.ts'];

/** Packages that only some folders may import. */
export const GUARDED_PACKAGES: readonly {
  readonly packages: readonly string[];
  readonly folders: readonly string[];
}[] = [{ packages: ['chdb', 'chdb/**', '@clickhouse/client'], folders: ['store'] }];

/** One row a folder, in order: a folder imports from the rows above it, as far as its row names them. */
export const BORDERS: readonly Border[] = [
  {
    folder: 'model',
    holds: 'documents, traces, service graphs, summaries, root causes: types and pure functions',
    mayImport: [],
  },
  {
    folder: 'model/otlp/wire',
    holds: "encodings of OpenTelemetry's messages",
    mayImport: ['model'],
    exceptRooms: ['model/otlp/to-xray', 'model/otlp/to-otlp', 'model/otlp/round-trip', 'model/otlp/documents'],
  },
  {
    folder: 'model/otlp/to-xray',
    holds: "a span to X-Ray's entities",
    mayImport: ['model'],
    exceptRooms: ['model/otlp/to-otlp', 'model/otlp/round-trip', 'model/otlp/documents'],
  },
  {
    folder: 'model/otlp/to-otlp',
    holds: 'an entity of X-Ray to a span',
    mayImport: ['model'],
    exceptRooms: ['model/otlp/to-xray', 'model/otlp/round-trip', 'model/otlp/documents'],
  },
  {
    folder: 'model/otlp/round-trip',
    holds: 'either form to the other and back without a loss',
    mayImport: ['model'],
    exceptRooms: ['model/otlp/documents'],
  },
  {
    folder: 'model/otlp/documents',
    holds: 'spans as they are stored, and all spans of a trace',
    mayImport: ['model'],
  },
  {
    folder: 'request-origin.ts',
    holds: 'which web pages and host names may reach an HTTP listener; one pure rule for all',
    mayImport: [],
  },
  { folder: 'filter', holds: 'filter expressions: parser, evaluation, completions; pure', mayImport: ['model'] },
  {
    folder: 'store',
    holds: 'ClickHouse: embedded, remote or a cluster; migrations, group commit, retention',
    mayImport: ['model'],
  },
  { folder: 'ingest', holds: 'bytes of each protocol to documents, and `accept`', mayImport: ['model', 'store'] },
  {
    folder: 'query',
    holds: 'one file a question: its SQL, its rows, its answer',
    mayImport: ['model', 'filter', 'store'],
  },
  {
    folder: 'query/traces',
    holds: 'lists and single traces: prefilter, candidate scan, sort keys, loading',
    mayImport: ['model', 'filter', 'store', 'query/interval-sql.ts'],
  },
  {
    folder: 'query/service-graph',
    holds: 'service graphs and time series of a window; roll-ups and their worker',
    mayImport: ['model', 'filter', 'store', 'query/interval-sql.ts', 'query/traces'],
  },
  {
    folder: 'query/retention',
    holds: 'retention rules, and their application to stored traces',
    mayImport: ['model', 'filter', 'store', 'query/groups.ts', 'query/traces', 'query/service-graph'],
  },
  {
    folder: 'query/jaeger',
    holds: "searches and dependencies of Jaeger's API",
    mayImport: ['model', 'filter', 'store', 'query/interval-sql.ts', 'query/traces', 'query/service-graph'],
  },
  { folder: 'sampling', holds: 'sampling rules and targets', mayImport: ['store'] },
  {
    folder: 'forward',
    holds: 'copies of stored documents, sent to AWS X-Ray or an OpenTelemetry backend',
    mayImport: ['model'],
  },
  {
    folder: 'api',
    holds: 'one file an operation of an API (X-Ray, Jaeger, export, OTLP, openray): its input and its steps',
    mayImport: ['model', 'filter', 'store', 'ingest', 'query', 'sampling'],
  },
  {
    folder: 'http',
    holds: 'adapters from HTTP and gRPC to `api` and `ingest`: routes, encodings, errors; the console',
    mayImport: ['request-origin.ts', 'ingest', 'api'],
  },
  {
    folder: 'lambda',
    holds: 'runs functions as Lambda does and sends their segments over UDP, as every client does',
    mayImport: ['model'],
  },
  {
    folder: 'lambda/spec',
    holds: 'a template as plain data: functions, routes, services; the interface of the Lambda service',
    mayImport: ['model'],
  },
  {
    folder: 'lambda/template',
    holds: 'SAM and CloudFormation templates to specs: macros, intrinsic functions, events',
    mayImport: ['model', 'lambda/spec'],
  },
  {
    folder: 'lambda/build',
    holds: 'makes code ready to run: esbuild, make, results of `sam build`',
    mayImport: ['model', 'lambda/spec'],
  },
  {
    folder: 'lambda/tracing',
    holds: 'sampling decisions, segments of Lambda, the UDP client that sends them',
    mayImport: ['model', 'lambda/spec'],
  },
  {
    folder: 'lambda/api',
    holds: "Lambda's HTTP API, the output of `sam remote invoke`",
    mayImport: ['model', 'lambda/spec'],
  },
  {
    folder: 'lambda/runtime',
    holds: 'the processes of a function: sandbox, Runtime API, extensions, environment variables',
    mayImport: ['model', 'request-origin.ts', 'lambda/spec', 'lambda/tracing'],
  },
  {
    folder: 'lambda/services',
    holds: 'queues, topics, event rules and schedules, in memory',
    mayImport: ['model', 'request-origin.ts', 'lambda/spec', 'lambda/api'],
  },
  {
    folder: 'lambda/gateway',
    holds: 'API Gateway and function URLs: routes, events, authorizers, responses',
    mayImport: ['model', 'lambda/spec', 'lambda/tracing'],
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
  },
  { folder: 'config.ts', holds: 'every setting', mayImport: ['store', 'forward'] },
  {
    folder: 'compose',
    holds: 'opens, connects and closes all parts: the server, functions, a restore',
    mayImport: ['config.ts', 'store', 'ingest', 'query', 'sampling', 'forward', 'http', 'lambda'],
  },
  {
    folder: 'client',
    holds: 'asks a running openray: invoke, wait for a trace',
    mayImport: ['model', 'filter', 'api'],
  },
  {
    folder: 'test-kit',
    holds: '`openray/testing`: a server for tests, expectations about traces',
    mayImport: ['model', 'filter', 'client'],
  },
  {
    folder: 'cli',
    holds: 'one file a command',
    mayImport: ['model', 'forward', 'api', 'lambda', 'config.ts', 'compose', 'client', 'test-kit'],
  },
];

/**
 * The row of `path` (a file below `server/src`, relative to it): that of the innermost folder which has one. A test gets
 * the outermost: it runs a room together with others, and nothing imports it.
 */
export function borderOf(path: string): Border | undefined {
  const rows = BORDERS.filter(({ folder }) => isWithin(path, folder)).sort((a, b) => b.folder.length - a.folder.length);
  return isForTests(path) ? rows.at(-1) : rows[0];
}

/** Whether a file may import another; both relative to `server/src`. */
export function mayImport(from: string, to: string): boolean {
  const border = borderOf(from);
  if (border === undefined) return true;
  if (border.exceptRooms?.some((room) => isWithin(to, room))) return false;
  return [border.folder, ...OPEN_TO_ALL, ...border.mayImport].some((allowed) => isWithin(to, allowed));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
