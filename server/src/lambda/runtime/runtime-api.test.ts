import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Completion, type Invocation, RuntimeApi } from './runtime-api.ts';

const invocation: Invocation = {
  requestId: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
  deadlineMs: 1716560005100,
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:F',
  traceHeader: 'Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=7c2e3f4a5b6c7d82;Sampled=1',
  clientContext: '{"custom":{"name":"Zoë"}}',
  payload: Buffer.from('{"a":1}'),
};

let api: RuntimeApi;
let happened: string[];
let completions: Completion[];

beforeEach(async () => {
  happened = [];
  completions = [];
  api = await RuntimeApi.open({ responseMaxBytes: 100, streamMaxBytes: 200 });
  api.listen({
    initDone: () => happened.push('initDone'),
    initError: (failure) => happened.push(`initError ${failure.body} ${failure.errorType}`),
    started: () => happened.push('started'),
    completed: (completion) => {
      happened.push('completed');
      completions.push(completion);
    },
    ready: () => happened.push('ready'),
  });
});

afterEach(() => api.close());

const url = (path: string) => `http://${api.address}/2018-06-01/runtime${path}`;
const next = () => fetch(url('/invocation/next'));
const ping = async () => (await fetch(`http://${api.address}/2018-06-01/ping`)).text();
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url(path), { method: 'POST', body, headers });
const RESPONSE = `/invocation/${invocation.requestId}/response`;
const ERROR = `/invocation/${invocation.requestId}/error`;

async function begin(): Promise<void> {
  api.offer(invocation);
  await (await next()).text();
}

async function errorOf(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { errorType: string }).errorType];
}

describe('calls in the order of the protocol', () => {
  test('next, response, next: the listener is called for each step', async () => {
    const polled = next();
    api.offer(invocation);
    const response = await polled;
    expect(await response.text()).toBe('{"a":1}');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.requestId,
      'lambda-runtime-deadline-ms': '1716560005100',
      'lambda-runtime-invoked-function-arn': invocation.functionArn,
      'lambda-runtime-trace-id': invocation.traceHeader,
    });
    expect(JSON.parse(response.headers.get('lambda-runtime-client-context') ?? '')).toEqual({
      custom: { name: 'Zoë' },
    });

    const accepted = await post(RESPONSE, '"done"');
    expect([accepted.status, await accepted.json()]).toEqual([202, { status: 'OK' }]);
    expect(completions).toMatchObject([{ kind: 'response', payload: Buffer.from('"done"') }]);
    const waiting = next().catch(() => 'aborted');
    await expect.poll(() => happened).toEqual(['initDone', 'started', 'completed', 'ready']);
    await api.close();
    expect(await waiting).toBe('aborted');
  });

  test('an event waits when it is offered before the first next', async () => {
    api.offer(invocation);
    expect(happened).toEqual([]);
    expect(await (await next()).text()).toBe('{"a":1}');
  });

  test('an event goes to the second next after the first was aborted', async () => {
    const abort = new AbortController();
    const aborted = fetch(url('/invocation/next'), { signal: abort.signal }).catch(() => 'aborted');
    await expect.poll(() => happened).toEqual(['initDone']);
    abort.abort();
    await aborted;
    // Rejected until the server has noticed that the first connection is closed.
    const { polled } = await vi.waitUntil(
      async () => {
        const polled = next();
        // A rejection arrives before the last of three pings in a row.
        const first = await Promise.race([polled, ping().then(ping).then(ping)]);
        return typeof first === 'string' && { polled };
      },
      { timeout: 60_000 },
    );
    api.offer(invocation);
    expect(await (await polled).text()).toBe('{"a":1}');
  });

  test('ping', async () => {
    expect(await ping()).toBe('pong');
  });
});

describe('errors', () => {
  test('of the handler: unchanged body, cause of the header with ids on its exceptions', async () => {
    await begin();
    const body = '{"errorType": "E",  "errorMessage":"m","trace":[]}';
    const cause = {
      working_directory: '/w',
      exceptions: [{ type: 'E', message: 'm', stack: [{ path: 'file', line: null }] }],
    };
    await post(ERROR, body, {
      'Lambda-Runtime-Function-XRay-Error-Cause': JSON.stringify(cause),
      'Lambda-Runtime-Function-Error-Type': 'Custom.Bad',
    });
    const [completion] = completions;
    expect(completion).toMatchObject({ kind: 'error', failure: { errorType: 'Runtime.Unknown' } });
    if (completion?.kind !== 'error') throw new Error('no error');
    expect(completion.failure.body.toString()).toBe(body);
    expect(completion.failure.cause).toEqual({
      working_directory: '/w',
      exceptions: [{ ...cause.exceptions[0], id: expect.stringMatching(/^[0-9a-f]{16}$/) }],
    });
  });

  test('of the initialisation, once, and only before the first next', async () => {
    const header = { 'Lambda-Runtime-Function-Error-Type': 'Runtime.ImportModuleError' };
    expect((await post('/init/error', '{"errorType":"x"}', header)).status).toBe(202);
    expect(happened).toEqual(['initError {"errorType":"x"} Runtime.ImportModuleError']);
    expect(await errorOf(await post('/init/error', '{}'))).toEqual([403, 'InvalidStateTransition']);
    expect(await errorOf(await next())).toEqual([403, 'InvalidStateTransition']);
  });
});

describe('rejected', () => {
  test('calls out of order, without an effect', async () => {
    expect(await errorOf(await post(RESPONSE, '1'))).toEqual([403, 'InvalidStateTransition']);
    await begin();
    expect(await errorOf(await next())).toEqual([403, 'InvalidStateTransition']);
    expect(await errorOf(await post('/init/error', '{}'))).toEqual([403, 'InvalidStateTransition']);
    expect((await post(RESPONSE, '1')).status).toBe(202);
    expect(await errorOf(await post(RESPONSE, '2'))).toEqual([403, 'InvalidStateTransition']);
    expect(await errorOf(await post(ERROR, '{}'))).toEqual([403, 'InvalidStateTransition']);
    expect(completions).toMatchObject([{ payload: Buffer.from('1') }]);
  });

  test('another request id', async () => {
    await begin();
    expect(await errorOf(await post('/invocation/other/response', '1'))).toEqual([400, 'InvalidRequestID']);
  });

  test('an unknown response mode', async () => {
    await begin();
    const answer = await post(RESPONSE, '1', { 'Lambda-Runtime-Function-Response-Mode': 'turbo' });
    expect(await errorOf(answer)).toEqual([400, 'InvalidFunctionResponseMode']);
  });

  test('a response over the limit, after it is read to its end and reported', async () => {
    await begin();
    expect(await errorOf(await post(RESPONSE, 'x'.repeat(500_000)))).toEqual([413, 'RequestEntityTooLarge']);
    expect(completions).toMatchObject([{ kind: 'tooLarge', bytes: 500_000, maxBytes: 100 }]);
  });

  test('a body that ends too early; the runtime may post again', async () => {
    await begin();
    const socket = connect(Number(api.address.split(':')[1]), '127.0.0.1');
    socket.write(`POST /2018-06-01/runtime${RESPONSE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc`);
    const answer = await new Promise<string>((resolve) => {
      socket.on('data', (data) => resolve(data.toString()));
      socket.end();
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 .*TruncatedHTTPRequest/s);
    await expect.poll(async () => (await post(RESPONSE, '"again"')).status).toBe(202);
    expect(completions).toMatchObject([{ kind: 'response', payload: Buffer.from('"again"') }]);
  });

  test('a body that ends too early, noticed after the runtime has posted again', async () => {
    await begin();
    const [host, port] = api.address.split(':');
    const cut = connect(Number(port), host);
    const head = `POST /2018-06-01/runtime${RESPONSE} HTTP/1.1\r\nHost: ${api.address}\r\nContent-Length: 100\r\n\r\n`;
    await new Promise<void>((resolve) => cut.write(`${head}"half`, () => resolve()));
    await expect.poll(async () => (await next()).text()).toContain('from completing');
    const posted = post(RESPONSE, '"whole"');
    await ping();
    cut.destroy();
    expect((await posted).status).toBe(202);
    expect(completions).toMatchObject([{ kind: 'response', payload: Buffer.from('"whole"') }]);
  });

  test('unknown paths', async () => {
    expect(await errorOf(await fetch(`http://${api.address}/else`))).toEqual([404, 'ResourceNotFound']);
  });
});

describe('streamed responses', () => {
  function stream(chunks: readonly string[], trailers: Record<string, string> = {}): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(url(RESPONSE), {
        method: 'POST',
        headers: {
          'Lambda-Runtime-Function-Response-Mode': 'streaming',
          'Transfer-Encoding': 'chunked',
          Trailer: Object.keys(trailers).join(', ') || 'x',
        },
      });
      outgoing.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      outgoing.on('error', reject);
      for (const chunk of chunks) outgoing.write(chunk);
      outgoing.addTrailers(trailers);
      outgoing.end();
    });
  }

  test('are collected, with a limit of their own', async () => {
    await begin();
    expect(await stream(['x'.repeat(80), 'y'.repeat(80)])).toBe(202);
    expect(completions).toMatchObject([{ kind: 'response', payload: Buffer.from('x'.repeat(80) + 'y'.repeat(80)) }]);
  });

  test('report a failure midway in their trailers', async () => {
    await begin();
    const body = '{"errorType":"Error","errorMessage":"midway"}';
    await stream(['part'], {
      'Lambda-Runtime-Function-Error-Type': 'Error',
      'Lambda-Runtime-Function-Error-Body': Buffer.from(body).toString('base64'),
    });
    expect(completions).toMatchObject([{ kind: 'error', failure: { body: Buffer.from(body) } }]);
  });
});
