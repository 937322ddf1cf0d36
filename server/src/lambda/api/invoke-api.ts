import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import type { OpenrayError } from '../../errors.ts';
import { toFailure } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { formatTraceHeader, readTraceHeaders } from '../../model/trace-header.ts';
import { parseFunctionReference } from '../spec/function-reference.ts';
import type {
  FunctionDescription,
  InvocationType,
  InvokeRequest,
  InvokeResult,
  LambdaFunctions,
} from '../spec/lambda-client.ts';
import { eventMessage } from './event-stream.ts';

/**
 * The part of Lambda's HTTP API that clients of local functions need, independent of a web framework. Signatures are
 * not checked: every client that reaches the port may invoke.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export type LambdaApiRequest = {
  /** From the path, URL-decoded. */
  readonly functionName: string;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
};

export type LambdaApiResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | Readable;
};

const TYPES: readonly string[] = ['RequestResponse', 'Event', 'DryRun'] satisfies InvocationType[];
const CLIENT_CONTEXT_MAX_CHARS = 3583;

type ErrorType = readonly [status: number, type: string];

/** `POST /2015-03-31/functions/{name}/invocations`. Never throws; failures become HTTP responses. */
export async function handleInvoke(
  lambda: Pick<LambdaFunctions, 'invoke'>,
  request: LambdaApiRequest,
): Promise<LambdaApiResponse> {
  const parsed = parseRequest(request);
  if ('rejection' in parsed) return parsed.rejection;
  try {
    const result = await lambda.invoke(request.functionName, parsed.invoke);
    return {
      status: result.statusCode,
      headers: {
        ...traceHeaders(result),
        ...(result.statusCode === 200
          ? { 'content-type': 'application/json', 'x-amz-executed-version': result.executedVersion }
          : {}),
        ...(result.functionError === undefined ? {} : { 'x-amz-function-error': result.functionError }),
        ...(result.statusCode === 200 && parsed.withTail ? { 'x-amz-log-result': base64(result.logTail) } : {}),
      },
      body: result.payload,
    };
  } catch (error) {
    return failureResponse(toFailure(error));
  }
}

/**
 * `POST /2021-11-15/functions/{name}/response-streaming-invocations`: an event stream with a `PayloadChunk` for each
 * chunk that the function writes, then `InvokeComplete`. Never throws; a failure before the first chunk becomes an HTTP
 * response.
 */
async function handleInvokeStreaming(
  lambda: Pick<LambdaFunctions, 'invoke'>,
  request: LambdaApiRequest,
): Promise<LambdaApiResponse> {
  const parsed = parseRequest(request);
  if ('rejection' in parsed) return parsed.rejection;
  const body = new PassThrough();
  // Ignored: the invocation goes on after the caller has disconnected.
  body.on('error', () => {});
  let onFirstChunk = () => {};
  const firstChunk = new Promise<undefined>((resolve) => {
    onFirstChunk = () => resolve(undefined);
  });
  const write = async (message: Buffer) => {
    if (!body.write(message) && !body.destroyed) await Promise.race([once(body, 'drain'), once(body, 'close')]);
  };
  const invocation = lambda.invoke(request.functionName, {
    ...parsed.invoke,
    onChunk: (chunk) => {
      onFirstChunk();
      return write(eventMessage('PayloadChunk', 'application/octet-stream', chunk));
    },
  });
  let isStreamed = false;
  const finished = invocation.then(async (result) => {
    const { functionError, payload } = result;
    if (!isStreamed && functionError === undefined) {
      await write(eventMessage('PayloadChunk', 'application/octet-stream', payload));
    }
    const complete = {
      ...(functionError === undefined ? {} : { ErrorCode: functionError, ErrorDetails: payload.toString() }),
      ...(parsed.withTail ? { LogResult: base64(result.logTail) } : {}),
    };
    body.end(eventMessage('InvokeComplete', 'application/json', jsonBody(complete)));
    return result;
  });
  try {
    const buffered = await Promise.race([firstChunk, invocation]);
    isStreamed = buffered === undefined;
    finished.catch((error: unknown) => body.destroy(toFailure(error)));
    const headers = buffered === undefined ? {} : traceHeaders(buffered);
    return {
      status: 200,
      headers: {
        ...headers,
        'content-type': 'application/vnd.amazon.eventstream',
        'x-amz-executed-version': '$LATEST',
      },
      body,
    };
  } catch (error) {
    finished.catch(() => {});
    return failureResponse(toFailure(error));
  }
}

type ParsedRequest =
  | { readonly invoke: InvokeRequest; readonly withTail: boolean }
  | { readonly rejection: LambdaApiResponse };

function parseRequest(request: LambdaApiRequest): ParsedRequest {
  const type = header(request, 'x-amz-invocation-type') ?? 'RequestResponse';
  const reject = (error: ErrorType, message: string) => ({ rejection: errorResponse(error, message) });
  if (!TYPES.includes(type)) {
    const message = `Value '${type}' at 'invocationType' is not one of ${TYPES.join(', ')}`;
    return reject([400, 'InvalidParameterValueException'], message);
  }
  let clientContext: string | undefined;
  try {
    clientContext = readClientContext(header(request, 'x-amz-client-context'));
  } catch {
    return reject(
      [400, 'InvalidRequestContentException'],
      'Client context must be a valid Base64-encoded JSON object.',
    );
  }
  try {
    parseFunctionReference(request.functionName);
  } catch (error) {
    return reject([400, 'ValidationException'], toFailure(error).message);
  }
  const incoming = readTraceHeaders(header(request, 'x-amzn-trace-id'), header(request, 'traceparent'));
  return {
    withTail: header(request, 'x-amz-log-type') === 'Tail',
    invoke: {
      payload: request.body,
      traceHeader: formatTraceHeader(incoming) || undefined,
      clientContext,
      invocationType: type as InvocationType,
      qualifier: first(request.query.Qualifier),
    },
  };
}

function traceHeaders({ requestId, traceHeader }: InvokeResult) {
  return { 'x-amzn-requestid': requestId, 'x-amzn-trace-id': traceHeader };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** All paths of Lambda's API that concern functions, those that openray does not have included. */
const FUNCTIONS_PATH = /^\/(?:2015-03-31|2021-11-15)\/functions(?:\/([^/]*)(?:\/(.*?))?)?\/?$/;

/** The function of a path and what is asked of it, such as `invocations`; undefined for any other path. */
export function readFunctionsPath(
  path: string,
):
  | { readonly kind: 'list' }
  | { readonly kind: 'function'; readonly name: string; readonly action: string }
  | undefined {
  const [matched, encodedName = '', action = ''] = FUNCTIONS_PATH.exec(path) ?? [];
  if (matched === undefined) return undefined;
  return encodedName === '' ? { kind: 'list' } : { kind: 'function', name: decodeName(encodedName), action };
}

/** Any operation of Lambda's API that openray has, by its method and path; undefined for other requests. */
export async function handleLambdaRequest(
  lambda: LambdaFunctions,
  {
    method,
    path,
    ...rest
  }: Omit<LambdaApiRequest, 'functionName'> & { readonly method: string; readonly path: string },
): Promise<LambdaApiResponse | undefined> {
  const target = readFunctionsPath(path);
  if (target === undefined) return undefined;
  if (target.kind === 'list') return method === 'GET' ? handleListFunctions(lambda, rest) : undefined;
  const request = { ...rest, functionName: target.name };
  switch (`${method} ${target.action}`) {
    case 'GET ':
      return handleGetFunction(lambda, request);
    case 'GET configuration':
      return handleGetFunctionConfiguration(lambda, request);
    case 'POST invocations':
      return handleInvoke(lambda, request);
    case 'POST response-streaming-invocations':
      return handleInvokeStreaming(lambda, request);
    default:
      return undefined;
  }
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Functions on a page, unless the client asks for fewer or for up to LIST_MAX. */
const LIST_DEFAULT = 50;
const LIST_MAX = 10_000;

/** `GET /2015-03-31/functions/`, in the order of the template. The marker is the name of the last function on the page before. */
function handleListFunctions(
  lambda: Pick<LambdaFunctions, 'list'>,
  { query }: Pick<LambdaApiRequest, 'query'>,
): LambdaApiResponse {
  const [maxItems = String(LIST_DEFAULT), marker = ''] = [first(query.MaxItems), first(query.Marker)];
  const max = Number(maxItems);
  if (!/^\d+$/.test(maxItems) || max < 1 || max > LIST_MAX) {
    const message = `Value '${maxItems.slice(0, 40)}' at 'maxItems' must be a whole number from 1 to ${LIST_MAX}`;
    return errorResponse([400, 'InvalidParameterValueException'], message);
  }
  const all = lambda.list();
  const last = Buffer.from(marker, 'base64url').toString();
  const start = all.findIndex(({ spec }) => spec.name === last) + 1;
  if (marker !== '' && start === 0) {
    return errorResponse(
      [400, 'InvalidParameterValueException'],
      "the value at 'marker' is no NextMarker of this list",
    );
  }
  const page = all.slice(start, start + max);
  const next = start + max < all.length ? page.at(-1)?.spec.name : undefined;
  return json(200, {
    Functions: page.map(configuration),
    NextMarker: next === undefined ? null : Buffer.from(next).toString('base64url'),
  });
}

type DescribeRequest = Pick<LambdaApiRequest, 'functionName' | 'query'>;

/** `GET /2015-03-31/functions/{name}`. */
function handleGetFunction(lambda: Pick<LambdaFunctions, 'find'>, request: DescribeRequest): LambdaApiResponse {
  return describe(lambda, request, (found) => ({
    Configuration: configuration(found),
    Code: { RepositoryType: 'Local', Location: found.spec.codeDir },
    Tags: {},
    ...(found.spec.reservedConcurrency !== undefined && {
      Concurrency: { ReservedConcurrentExecutions: found.spec.reservedConcurrency },
    }),
  }));
}

/** `GET /2015-03-31/functions/{name}/configuration`. */
function handleGetFunctionConfiguration(
  lambda: Pick<LambdaFunctions, 'find'>,
  request: DescribeRequest,
): LambdaApiResponse {
  return describe(lambda, request, configuration);
}

function describe(
  lambda: Pick<LambdaFunctions, 'find'>,
  { functionName, query }: DescribeRequest,
  toJson: (found: FunctionDescription) => JsonObject,
) {
  try {
    return json(200, toJson(lambda.find(functionName, first(query.Qualifier))));
  } catch (error) {
    return failureResponse(toFailure(error));
  }
}

/** In Lambda's form: the start of this process. */
const LAST_MODIFIED = new Date().toISOString().replace('Z', '+0000');

function configuration({ spec, arn }: FunctionDescription): JsonObject {
  const { logging } = spec;
  return {
    FunctionName: spec.name,
    FunctionArn: arn,
    Runtime: spec.runtime,
    Role: `arn:aws:iam::${arn.split(':')[4]}:role/${spec.logicalId}Role`,
    Handler: spec.handler,
    CodeSize: 0,
    Description: '',
    LastModified: LAST_MODIFIED,
    Timeout: spec.timeoutMs / 1000,
    MemorySize: spec.memoryMb,
    Version: '$LATEST',
    Environment: { Variables: { ...spec.environmentVariables } },
    TracingConfig: { Mode: spec.tracing },
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: [spec.architecture],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: {
      LogFormat: logging.format,
      LogGroup: logging.logGroup,
      ...(logging.format === 'JSON'
        ? { ApplicationLogLevel: logging.applicationLevel, SystemLogLevel: logging.systemLevel }
        : {}),
    },
  };
}

function failureResponse(failure: OpenrayError): LambdaApiResponse {
  const response = errorResponse(errorType(failure), failure.message);
  if (failure.code !== 'ThrottledException') return response;
  const body = {
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    Type: 'User',
    message: failure.message,
  };
  const retryAfter = String(failure.retryAfterSeconds ?? 1);
  return { ...response, headers: { ...response.headers, 'retry-after': retryAfter }, body: jsonBody(body) };
}

/** HTTP status and error name of Lambda for a failure of the service. */
function errorType(failure: OpenrayError): ErrorType {
  switch (failure.code) {
    case 'ResourceNotFoundException':
      return [404, 'ResourceNotFoundException'];
    case 'InvalidRequestException':
      return [400, 'InvalidRequestContentException'];
    case 'RequestTooLargeException':
      return [413, 'RequestTooLargeException'];
    case 'ThrottledException':
      return [429, 'TooManyRequestsException'];
    case 'SettingInvalid':
      return [502, 'InvalidRuntimeException'];
    default:
      return [500, 'ServiceException'];
  }
}

function errorResponse([status, type]: ErrorType, message: string): LambdaApiResponse {
  const response = json(status, { Type: status < 500 ? 'User' : 'Service', Message: message });
  return { ...response, headers: { ...response.headers, 'x-amzn-errortype': type } };
}

function json(status: number, value: JsonObject): LambdaApiResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: jsonBody(value) };
}

function jsonBody(value: JsonObject): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Throws when the text is not the Base64 of a JSON object. */
function readClientContext(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length > CLIENT_CONTEXT_MAX_CHARS) throw new RangeError('too long');
  const value: JsonValue = JSON.parse(Buffer.from(text, 'base64').toString());
  if (!isJsonObject(value)) throw new TypeError('no object');
  return JSON.stringify(value);
}

function header(request: LambdaApiRequest, name: string): string | undefined {
  return first(request.headers[name]);
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value[0];
}
