import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import type * as z from 'zod';
import type { Metrics } from '../api/openray/metrics.ts';
import { type ApiContext, EXTENSIONS_HEADER, type Operation, responseText } from '../api/operation.ts';
import { operations } from '../api/operations.ts';
import { issueSentence, OpenrayError } from '../errors.ts';
import type { MemoryBudget } from '../ingest/memory-budget.ts';
import type { OtlpReceiverContext } from '../ingest/otlp.ts';
import { increment } from '../stats.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';
import { admitRequests } from './admit-requests.ts';
import { serveBackup } from './backup.ts';
import { serveConsole } from './console.ts';
import { handleErrors, unknownOperation } from './errors.ts';
import { serveEvents } from './events.ts';
import { serveExport } from './export.ts';
import { answerInFlight } from './graceful-close.ts';
import { serveHealth } from './health.ts';
import { serveJaeger } from './jaeger.ts';
import { type LambdaApi, serveAwsServices, serveLambdaApi } from './lambda-api.ts';
import { markIncomplete } from './mark-incomplete.ts';
import { measureRequests, serveMetrics } from './metrics.ts';
import { checkOrigin } from './origin-check.ts';
import { type OtlpOptions, serveOtlp } from './otlp.ts';
import { acceptBodies } from './request-body.ts';
import { serveZipkin } from './zipkin.ts';

export type AppOptions = {
  readonly context: Omit<ApiContext, 'signal' | 'onIncomplete' | 'hasExtensions'>;
  readonly otlp: { readonly context: OtlpReceiverContext; readonly options: OtlpOptions };
  readonly log: FastifyBaseLogger;
  /** For the bodies of all requests, and for what is made of them. */
  readonly memory: MemoryBudget;
  readonly bodyMaxBytes: number;
  /** Folder of the built console; undefined when the console is not built. */
  readonly consoleDir: string | undefined;
  /** Called for each request, since functions are opened after the daemon's port is known. */
  readonly lambda: () => LambdaApi | undefined;
  readonly version: string;
  readonly metrics: Metrics;
};

/** The one HTTP port: X-Ray API, Invoke API, queues and topics, OTLP, console, health and metrics. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const app = newApp(options);
  measureRequests(app, options.metrics);
  markOtherProtocols(app, options.context);
  for (const operation of operations) serveOperation(app, operation, options.context);
  serveLambdaApi(app, options.lambda);
  serveAwsServices(app, options.lambda);
  serveOtlp(app, options.otlp.context, options.otlp.options);
  serveZipkin(app, options.otlp.context, options.otlp.options.maxBytes);
  serveJaeger(app, options.context.store);
  serveExport(app, options.context);
  serveBackup(app, options.context.store);
  serveEvents(app, options.context.notifications, options.log);
  serveHealth(app, options.context, options.version);
  serveMetrics(app, options.metrics);
  await serveConsole(app, options.consoleDir);
  answerInFlight(app);
  return app;
}

/** The Invoke API alone. */
export function buildInvokeApp(
  options: Pick<AppOptions, 'log' | 'memory' | 'bodyMaxBytes' | 'lambda'>,
): FastifyInstance {
  const app = newApp(options);
  serveLambdaApi(app, options.lambda);
  answerInFlight(app);
  return app;
}

/** OpenTelemetry's own HTTP port: OTLP and nothing else. */
export function buildOtlpApp(
  options: Pick<AppOptions, 'otlp' | 'log' | 'memory' | 'bodyMaxBytes' | 'metrics'>,
): FastifyInstance {
  const app = newApp(options);
  measureRequests(app, options.metrics);
  serveOtlp(app, options.otlp.context, options.otlp.options);
  app.setNotFoundHandler((request) => {
    throw unknownOperation(request.method, request.url);
  });
  answerInFlight(app);
  return app;
}

/** For the whole request, however steadily its body arrives: the default of Node, which Fastify switches off. */
const REQUEST_TIMEOUT_MS = 300_000;

/** An app without routes, with the hooks and the error handler of every port. */
function newApp({ log, memory, bodyMaxBytes }: Pick<AppOptions, 'log' | 'memory' | 'bodyMaxBytes'>): FastifyInstance {
  const app = Fastify({
    // Fastify logs its address at level info; `openray serve` prints it already.
    loggerInstance: log.child({}, { level: log.level === 'info' ? 'warn' : log.level }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyMaxBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: () => randomUUID(),
    // Requests that arrive while the app closes are answered, see graceful-close.ts.
    return503OnClosing: false,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
  });
  acceptBodies(app, memory);
  app.setReplySerializer(responseText);
  checkOrigin(app);
  handleErrors(app);
  app.addHook('onSend', async (request, reply) => {
    if (!reply.hasHeader('x-amzn-requestid')) reply.header('x-amzn-requestid', request.id);
  });
  return app;
}

/** Other protocols have no way to mark a response, so that each one is marked while parts are damaged. */
function markOtherProtocols(app: FastifyInstance, { store }: AppOptions['context']): void {
  app.addHook('onSend', async (request, reply) => {
    const reason = store.damageReason();
    if (reason !== undefined && OTHER_PROTOCOLS.test(request.routeOptions.url ?? '')) markIncomplete(reply, reason);
  });
}

/** Routes of Jaeger's API, of whole traces as OTLP, and of the export. */
const OTHER_PROTOCOLS = /^\/(?:api\/|v1\/traces\/:|export\b)/;

function serveOperation(app: FastifyInstance, operation: Operation, context: AppOptions['context']): void {
  const options = operation.storesDocuments === true ? { onRequest: admitRequests('http', context) } : {};
  app.post(operation.path, options, async (request, reply) => {
    increment(context.stats.requests, operation.name);
    const input = readInput(operation, request);
    const onIncomplete = (reason: string) => markIncomplete(reply, reason);
    const hasExtensions = request.headers[EXTENSIONS_HEADER] === '1';
    const signal = abortOnDisconnect(reply);
    if (operation.readsDocuments) {
      await context.store.flush({
        signal,
        onIncomplete: () => onIncomplete('the newest documents are not inserted yet'),
      });
    }
    return operation.run(input, { ...context, signal, hasExtensions, onIncomplete });
  });
}

function readInput(operation: Operation, request: FastifyRequest): unknown {
  const bytes = request.body as Buffer | undefined;
  let json: unknown;
  try {
    json = bytes === undefined || bytes.length === 0 ? {} : JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new OpenrayError('SerializationException', `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OpenrayError('SerializationException', 'the body must be a JSON object');
  }
  const parsed = operation.input.safeParse(json);
  if (!parsed.success) throw new OpenrayError('InvalidRequestException', describeIssue(parsed.error));
  return parsed.data;
}

function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'the request is not valid';
  if (issue.code === 'custom') return issue.message;
  const sentence = issueSentence(issue);
  const path = issue.path.map(String).join('.');
  if (path !== '') return `${path}: ${sentence}`;
  return sentence === issue.message ? sentence : `the request ${sentence}`;
}
