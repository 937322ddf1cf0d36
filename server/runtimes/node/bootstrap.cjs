// @ts-check
'use strict';

/**
 * openray's runtime client for Node: takes events from the Lambda Runtime API and gives them to the user's handler.
 * One file, no dependencies, shipped as it is; runs on Node 20 and later.
 *
 * Started in the task root with the variables that Lambda sets; `_HANDLER` names module and export.
 */

// Loaded before the handler: tracing libraries replace these functions, and must not trace the runtime's own calls.
const { Agent, request } = require('node:http');
const { existsSync, readFileSync, realpathSync, statSync } = require('node:fs');
const Module = require('node:module');
const { basename, delimiter, dirname, join, resolve, sep } = require('node:path');
const { Writable } = require('node:stream');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { format } = require('node:util');

/** @typedef {{ status: number, headers: import('node:http').IncomingHttpHeaders, body: Buffer }} Answer */
/** @typedef {Record<string, any>} Context */
/** @typedef {(event: unknown, ...rest: any[]) => unknown} Handler */
/** @typedef {{ contentType?: string, prelude?: unknown }} StreamHead */

const [apiHost, apiPort] = (process.env.AWS_LAMBDA_RUNTIME_API ?? '').split(':');
const RUNTIME = '/2018-06-01/runtime';
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const CAUSE_HEADER = 'Lambda-Runtime-Function-XRay-Error-Cause';
const TYPE_HEADER = 'Lambda-Runtime-Function-Error-Type';
const agent = new Agent({ keepAlive: true });

/** @type {string | undefined} Of the event being handled. */
let requestId;
/** @type {(() => void) | undefined} Called when the event loop is empty. */
let onIdle;
/** The process has crashed, and ends when the error is reported. */
let hasCrashed = false;

// ---------------------------------------------------------------------------------------------- Runtime API

/**
 * Calls the Runtime API. Ends the process when the connection fails: without the runner there is nothing to do.
 * @param {'GET' | 'POST'} method
 * @param {string} path
 * @param {string} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Answer>}
 */
function call(method, path, body, headers = {}) {
  return new Promise((done) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const options = { agent, host: apiHost, port: apiPort, method, path: RUNTIME + path };
    const outgoing = request({ ...options, headers: { 'Content-Type': 'application/json', ...length, ...headers } });
    outgoing.on('error', () => process.exit(1));
    outgoing.on('response', (incoming) => readAnswer(incoming, done));
    outgoing.end(body);
  });
}

/**
 * @param {import('node:http').IncomingMessage} incoming
 * @param {(answer: Answer) => void} done
 */
function readAnswer(incoming, done) {
  /** @type {Buffer[]} */
  const chunks = [];
  incoming.on('data', (chunk) => chunks.push(chunk));
  incoming.on('error', () => process.exit(1));
  incoming.on('end', () => {
    done({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
  });
}

/** Never resolves in a crashed process, which must neither answer nor ask for another event. */
async function stopIfCrashed() {
  if (hasCrashed) await new Promise(() => {});
}

/** Waits until all output is written: a full pipe delays writes, but the log has to precede the response. */
async function flushOutput() {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength > 0) await new Promise((done) => stream.write('', done));
  }
}

/**
 * @param {string} path
 * @param {unknown} error
 * @param {Record<string, string>} [headers]
 */
async function postError(path, error, headers = {}) {
  const body = JSON.stringify(errorBody(error));
  await flushOutput();
  return call('POST', path, body, { ...headers, [CAUSE_HEADER]: ascii(JSON.stringify(errorCause(error))) });
}

// --------------------------------------------------------------------------------------------------- errors

/** An error of the runtime itself, before or around the user's code. */
class RuntimeError extends Error {
  /**
   * @param {string} type
   * @param {string} message
   * @param {unknown} [origin] whose stack it keeps
   */
  constructor(type, message, origin) {
    super(message);
    this.name = `Runtime.${type}`;
    if (origin instanceof Error && origin.stack) this.stack = `${this.name}: ${message}\n${frames(origin).join('\n')}`;
  }
}

/** @param {unknown} error */
function errorBody(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

/** An error for the log, with its own fields. @param {unknown} error */
function errorRecord(error) {
  const { trace, ...body } = errorBody(error);
  return error instanceof Error ? { ...body, ...error, stack: trace } : { ...body, stack: trace };
}

/** The `cause` of an X-Ray segment, without the frames of this file. @param {unknown} error */
function errorCause(error) {
  const { errorType, errorMessage } = errorBody(error);
  const all = error instanceof Error ? frames(error).flatMap(stackFrame) : [];
  const stack = all.filter((frame) => frame.path !== __filename).slice(0, 50);
  const paths = [...new Set(stack.map((frame) => frame.path))];
  const exception = { type: errorType, message: errorMessage.slice(0, 4096), stack };
  return { working_directory: process.cwd(), exceptions: [exception], paths };
}

/** @param {Error} error */
function frames(error) {
  return (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
}

/** @param {string} line */
function stackFrame(line) {
  const parts = /^\s+at (?:(.+?) \()?(?:file:\/\/)?(.+?):(\d+):\d+\)?$/.exec(line);
  if (!parts?.[2]) return [];
  return [{ path: parts[2], line: Number(parts[3]), label: parts[1] ?? 'anonymous' }];
}

/** JSON for a header, which may have ASCII characters only. @param {string} json */
function ascii(json) {
  return json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// -------------------------------------------------------------------------------------------------- console

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const isJsonLog = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
const minLevel = Math.max(0, LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase() ?? ''));

/**
 * @param {string} level
 * @param {unknown[]} args
 */
function log(level, args) {
  if (isJsonLog && LEVELS.indexOf(level) < minLevel) return;
  const timestamp = new Date().toISOString();
  const line = isJsonLog
    ? jsonLine(timestamp, level, args)
    : // Carriage returns in place of line breaks keep the record together.
      `${timestamp}\t${requestId}\t${level}\t${format(...args)}`.replaceAll('\n', '\r');
  process.stdout.write(`${line}\n`);
}

/**
 * @param {string} timestamp
 * @param {string} level
 * @param {unknown[]} args
 */
function jsonLine(timestamp, level, args) {
  const head = { timestamp, level, requestId };
  if (args.length === 1) {
    try {
      return JSON.stringify({ ...head, message: args[0] }, (_key, value) =>
        value instanceof Error ? { ...errorFields(value), ...value } : value,
      );
    } catch {
      return JSON.stringify({ ...head, message: format(args[0]) });
    }
  }
  const error = args.find((arg) => arg instanceof Error);
  return JSON.stringify({ ...head, message: format(...args), ...(error instanceof Error ? errorFields(error) : {}) });
}

/** @param {Error} error */
function errorFields(error) {
  const { errorType, errorMessage, trace } = errorBody(error);
  return { errorType, errorMessage, stackTrace: trace };
}

/**
 * @param {string} title
 * @param {unknown} error
 */
function logError(title, error) {
  if (isJsonLog) return log('ERROR', [error instanceof Error ? errorFields(error) : errorBody(error)]);
  let record = '';
  try {
    record = JSON.stringify(errorRecord(error));
  } catch {
    // A field of the error refers to itself.
    record = JSON.stringify(errorBody(error));
  }
  log('ERROR', [`${title} \t${record}`]);
}

function replaceConsole() {
  console.log = (...args) => log('INFO', args);
  console.info = (...args) => log('INFO', args);
  console.debug = (...args) => log('DEBUG', args);
  console.warn = (...args) => log('WARN', args);
  console.error = (...args) => log('ERROR', args);
  console.trace = (...args) => log('TRACE', args);
  Object.assign(console, { fatal: (/** @type {unknown[]} */ ...args) => log('FATAL', args) });
}

// ------------------------------------------------------------------------------------------------- handler

/**
 * `folder/module.export.property`: the module ends at the first dot behind the last slash.
 * @param {string} text
 */
function splitHandler(text) {
  const slash = text.lastIndexOf('/') + 1;
  const dot = text.indexOf('.', slash);
  if (text.includes('..') || dot <= slash || dot === text.length - 1) {
    throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  }
  return { folder: text.slice(0, slash), module: text.slice(slash, dot), properties: text.slice(dot + 1).split('.') };
}

/**
 * @param {string} taskRoot
 * @param {string} text
 * @returns {Promise<Handler>}
 */
async function loadHandler(taskRoot, text) {
  const { folder, module, properties } = splitHandler(text);
  /** @type {any} */
  let found = await loadModule(taskRoot, folder, module);
  for (const property of properties) found = found?.[property];
  const name = `${module}.${properties.join('.')}`;
  if (found === undefined || found === null) {
    throw new RuntimeError('HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (typeof found !== 'function') throw new RuntimeError('HandlerNotFound', `${name} is not a function`);
  const isStreaming = found[STREAMING] !== undefined;
  if (isStreaming && found[STREAMING] !== 'response') {
    throw new RuntimeError('MalformedStreamingHandler', 'Only response streaming is supported.');
  }
  if (!isStreaming && found.length >= 3 && /nodejs(2[4-9]|[3-9]\d)/.test(process.env.AWS_EXECUTION_ENV ?? '')) {
    const message = 'Handlers with a callback are not supported by this runtime; return a promise instead.';
    throw new RuntimeError('CallbackHandlerDeprecated', message);
  }
  return found;
}

/**
 * @param {string} taskRoot
 * @param {string} folder
 * @param {string} module
 */
async function loadModule(taskRoot, folder, module) {
  const base = resolve(taskRoot, folder, module);
  try {
    const file = ['', '.js', '.mjs', '.cjs'].map((suffix) => base + suffix).find(isFile);
    if (file === undefined) return require(require.resolve(module, { paths: [taskRoot, join(taskRoot, folder)] }));
    isolateFrom(dirname(realpathSync(taskRoot)), taskRoot);
    // A CommonJS module may import too.
    resolveImportsByNodePath(file, taskRoot);
    return isEsModule(file, taskRoot) ? await import(pathToFileURL(file).href) : require(file);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', String(error), error);
    const { code } = /** @type {{ code?: string }} */ (error ?? {});
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') {
      throw new RuntimeError('ImportModuleError', String(error), error);
    }
    throw error;
  }
}

/**
 * Lets `import` look into the folders of NODE_PATH, as Lambda does; Node itself looks there only for `require`. They come
 * last: a package in a `node_modules` of the function wins.
 * @param {string} file of the handler
 * @param {string} taskRoot
 */
function resolveImportsByNodePath(file, taskRoot) {
  const folders = (process.env.NODE_PATH ?? '')
    .split(delimiter)
    .filter((folder) => basename(folder) === 'node_modules');
  const parents = folders.filter((folder) => existsSync(folder)).map((folder) => `${pathToFileURL(dirname(folder))}/`);
  if (parents.length === 0) return;
  const { register, registerHooks } = /** @type {any} */ (require('node:module'));
  if (registerHooks !== undefined) {
    registerHooks({ resolve: newResolveHook(parents) });
  } else if (isEsModule(file, taskRoot) || readFileSync(file, 'utf8').includes('import(')) {
    // Up to Node 22.14 the hooks need a thread, which takes some 100 ms to start.
    register?.(pathToFileURL(join(__dirname, 'node-path-hooks.mjs')).href, { data: { parents } });
  }
}

/**
 * @param {readonly string[]} parents
 * @returns {(specifier: string, context: object, nextResolve: (specifier: string, context: object) => object) => object}
 */
function newResolveHook(parents) {
  return (specifier, context, nextResolve) => {
    try {
      return nextResolve(specifier, context);
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error ?? {});
      if (code !== 'ERR_MODULE_NOT_FOUND' || /^(\.|\/|#|\w+:)/.test(specifier)) throw error;
      for (const parentURL of parents) {
        try {
          return nextResolve(specifier, { ...context, parentURL });
        } catch {
          // The next folder may have it.
        }
      }
      throw error;
    }
  };
}

/** @param {string} path */
function isFile(path) {
  return existsSync(path) && statSync(path).isFile();
}

/**
 * `.mjs`, and `.js` where the nearest package.json of the task root has the type `module`.
 * @param {string} file
 * @param {string} taskRoot
 */
function isEsModule(file, taskRoot) {
  if (!file.endsWith('.js')) return file.endsWith('.mjs');
  return nearestType(dirname(file), isInside(file, taskRoot) ? taskRoot : undefined) === 'module';
}

/**
 * The `type` of the nearest package.json, up to the folder `last`.
 * @param {string} start
 * @param {string | undefined} last
 */
function nearestType(start, last) {
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (isFile(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type;
    if (folder === last || folder === dirname(folder)) return undefined;
  }
}

/** @param {string} file @param {string} folder */
function isInside(file, folder) {
  return file.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * On AWS the task root is `/var/task`, and no package.json is above it. Where one above makes every `.js` file of the
 * task root an ES module, files that have no package.json of their own load as CommonJS all the same.
 * @param {string} above the folder that holds the task root
 * @param {string} taskRoot
 */
function isolateFrom(above, taskRoot) {
  if (isFile(join(taskRoot, 'package.json')) || nearestType(above, undefined) !== 'module') return;
  const roots = [taskRoot, realpathSync(taskRoot)];
  /** @param {string} file */
  const isCommonJs = (file) => {
    const root = roots.find((folder) => isInside(file, folder));
    if (root === undefined || !file.endsWith('.js') || file.includes(`${sep}node_modules${sep}`)) return false;
    return nearestType(dirname(file), root) === undefined;
  };
  const extensions = /** @type {any} */ (Module)._extensions;
  const loadJs = extensions['.js'];
  extensions['.js'] = (/** @type {any} */ module, /** @type {string} */ file) => {
    if (!isCommonJs(file)) return loadJs(module, file);
    module._compile(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''), file, 'commonjs');
  };
  // Also for `import './other.js'`. Node 20 has no hooks in this thread: there such an import follows the outer type.
  /** @type {any} */ (Module).registerHooks?.({
    load: (/** @type {string} */ url, /** @type {any} */ context, /** @type {any} */ nextLoad) =>
      url.startsWith('file:') && isCommonJs(fileURLToPath(url))
        ? nextLoad(url, { ...context, format: 'commonjs' })
        : nextLoad(url, context),
  });
}

// ---------------------------------------------------------------------------------------------- invocations

/** @param {Answer} next */
function contextOf({ headers }) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: jsonHeader(headers['lambda-runtime-client-context']),
    identity: jsonHeader(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: String(headers['lambda-runtime-aws-request-id']),
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    xRayTraceId: headers['lambda-runtime-trace-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

/** @param {string | string[] | undefined} value */
function jsonHeader(value) {
  return typeof value === 'string' && value !== '' ? JSON.parse(value) : undefined;
}

/**
 * Runs a handler that returns its result, by promise or by callback.
 * @param {Handler} handler
 * @param {unknown} event
 * @param {Context} context
 * @returns {Promise<unknown>}
 */
function runBuffered(handler, event, context) {
  return new Promise((succeed, fail) => {
    /** @type {(() => void) | undefined} */
    let answer;
    /** With a callback the response waits for an empty event loop, unless the handler opts out. */
    const callback = (/** @type {unknown} */ error, /** @type {unknown} */ result) => {
      answer ??= error === undefined || error === null ? () => succeed(result) : () => fail(error);
      if (context.callbackWaitsForEmptyEventLoop) onIdle = answer;
      else answer();
    };
    const finish = (/** @type {unknown} */ error, /** @type {unknown} */ result) => {
      context.callbackWaitsForEmptyEventLoop = false;
      callback(error, result);
    };
    const succeedNow = (/** @type {unknown} */ result) => finish(undefined, result);
    const failNow = (/** @type {unknown} */ error) => finish(error ?? new Error('Unknown error'), undefined);
    Object.assign(context, { done: finish, succeed: succeedNow, fail: failNow });
    onIdle = () => succeed(null);
    const result = handler(event, context, callback);
    if (isThenable(result)) {
      const exited = new RuntimeError(
        'NodeJsExit',
        'The event loop is empty, but the promise of the handler is pending',
      );
      onIdle = () => fail(exited);
      result.then(succeed, fail);
    }
  });
}

/** @param {unknown} value @returns {value is PromiseLike<unknown>} */
function isThenable(value) {
  return typeof (/** @type {any} */ (value)?.then) === 'function';
}

/**
 * The stream of a streaming handler. The request to the runner starts with the first bytes.
 */
class ResponseStream extends Writable {
  /** @type {import('node:http').ClientRequest | undefined} */
  #outgoing;
  /** @type {StreamHead} */
  head = {};
  /** @type {Promise<Answer>} */
  answered;
  /** @type {(answer: Answer) => void} */
  #done = () => {};

  /** @param {number | undefined} highWaterMark */
  constructor(highWaterMark) {
    super(highWaterMark === undefined ? {} : { highWaterMark });
    this.answered = new Promise((done) => {
      this.#done = done;
    });
  }

  get hasBegun() {
    return this.#outgoing !== undefined;
  }

  /** @param {string} contentType */
  setContentType(contentType) {
    this.head.contentType = contentType;
  }

  #begin() {
    if (this.#outgoing) return this.#outgoing;
    const outgoing = request({
      agent,
      host: apiHost,
      port: apiPort,
      method: 'POST',
      path: `${RUNTIME}/invocation/${requestId}/response`,
      headers: {
        'Content-Type': this.head.contentType ?? 'application/octet-stream',
        'Lambda-Runtime-Function-Response-Mode': 'streaming',
        'Transfer-Encoding': 'chunked',
        Trailer: `${TYPE_HEADER}, Lambda-Runtime-Function-Error-Body`,
      },
    });
    outgoing.on('error', () => process.exit(1));
    outgoing.on('response', (incoming) => readAnswer(incoming, this.#done));
    if (this.head.prelude !== undefined) outgoing.write(`${JSON.stringify(this.head.prelude)}${'\0'.repeat(8)}`);
    this.#outgoing = outgoing;
    return outgoing;
  }

  /** @override @param {Buffer} chunk @param {string} _encoding @param {(error?: Error | null) => void} done */
  _write(chunk, _encoding, done) {
    this.#begin().write(chunk, done);
  }

  /** @override @param {(error?: Error | null) => void} done */
  _final(done) {
    this.#begin().end(() => done());
  }

  /** Ends a stream that has begun, and sends the error in the trailers. @param {unknown} error */
  failWith(error) {
    const body = errorBody(error);
    const outgoing = this.#begin();
    outgoing.addTrailers({
      [TYPE_HEADER]: String(body.errorType),
      'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(body)).toString('base64'),
    });
    outgoing.end();
  }
}

/**
 * @param {Handler} handler
 * @param {unknown} event
 * @param {Context} context
 */
async function runStreaming(handler, event, context) {
  const stream = new ResponseStream(/** @type {any} */ (handler)[HIGH_WATER_MARK]);
  stream.on('error', () => {});
  try {
    await new Promise((succeed, fail) => {
      onIdle = () => fail(new RuntimeError('NodeJsExit', 'The event loop is empty, but the response is not finished'));
      const result = handler(event, stream, context);
      if (!isThenable(result)) throw new Error('Streaming does not support non-async handlers.');
      result.then(succeed, fail);
    });
    if (!stream.writableEnded) throw new Error('Response stream is not finished.');
    await flushOutput();
  } catch (error) {
    logError('Invoke Error', error);
    if (!stream.hasBegun) return void (await postError(`/invocation/${requestId}/error`, error));
    await flushOutput();
    stream.failWith(error);
  }
  await stream.answered;
}

/** The global `awslambda` of user code. */
const awslambda = {
  /** @param {any} handler @param {{ highWaterMark?: number }} [options] */
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (options?.highWaterMark !== undefined) handler[HIGH_WATER_MARK] = options.highWaterMark;
    return handler;
  },
  HttpResponseStream: {
    /** @param {ResponseStream} stream @param {unknown} prelude */
    from(stream, prelude) {
      stream.head = { contentType: 'application/vnd.awslambda.http-integration-response', prelude };
      return stream;
    },
  },
};

/**
 * @param {Handler} handler
 * @param {Answer} next
 */
async function handle(handler, next) {
  const context = contextOf(next);
  requestId = context.awsRequestId;
  const traceId = next.headers['lambda-runtime-trace-id'];
  if (typeof traceId === 'string') process.env._X_AMZN_TRACE_ID = traceId;
  else delete process.env._X_AMZN_TRACE_ID;
  if (/** @type {any} */ (handler)[STREAMING]) {
    await runStreaming(handler, JSON.parse(next.body.toString()), context);
    return;
  }
  try {
    const result = await runBuffered(handler, JSON.parse(next.body.toString()), context);
    // Lets an unhandled rejection be reported before the response.
    await new Promise(setImmediate);
    await flushOutput();
    await stopIfCrashed();
    await call('POST', `/invocation/${requestId}/response`, resultBody(result));
  } catch (error) {
    await new Promise(setImmediate);
    await stopIfCrashed();
    logError('Invoke Error', error);
    await postError(`/invocation/${requestId}/error`, error);
  }
}

/** @param {unknown} result */
function resultBody(result) {
  try {
    return JSON.stringify(result) ?? 'null';
  } catch (error) {
    throw new RuntimeError('MarshalError', `Unable to stringify response body: ${error}`, error);
  }
}

/**
 * @param {string} title
 * @param {unknown} error
 * @param {number} exitCode
 */
async function crash(title, error, exitCode) {
  hasCrashed = true;
  logError(title, error);
  await (requestId === undefined
    ? postError('/init/error', error, { [TYPE_HEADER]: 'Runtime.Unknown' })
    : postError(`/invocation/${requestId}/error`, error));
  process.exit(exitCode);
}

async function main() {
  Object.assign(globalThis, { awslambda: Object.assign(/** @type {any} */ (globalThis).awslambda ?? {}, awslambda) });
  replaceConsole();
  process.on('uncaughtException', (error) => void crash('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason) => {
    const error = new RuntimeError('UnhandledPromiseRejection', String(reason), reason);
    void crash('Unhandled Promise Rejection', Object.assign(error, { reason }), 128);
  });
  process.on('beforeExit', () => onIdle?.());
  let handler;
  try {
    handler = await loadHandler(process.env.LAMBDA_TASK_ROOT ?? process.cwd(), process.env._HANDLER ?? '');
  } catch (error) {
    logError('Uncaught Exception', error);
    const type = error instanceof RuntimeError ? error.name : 'Runtime.Unknown';
    await postError('/init/error', error, { [TYPE_HEADER]: type });
    process.exit(1);
  }
  for (;;) {
    onIdle = undefined;
    await stopIfCrashed();
    await handle(handler, await call('GET', '/invocation/next'));
  }
}

void main();
