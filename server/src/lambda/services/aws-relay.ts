import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { OpenrayError } from '../../errors.ts';

/** Answers the request of a function with the response of AWS or of an emulator. Never rejects. */
export type AwsRelay = (request: IncomingMessage, body: Buffer, response: ServerResponse) => Promise<void>;

export type AwsRelayOptions = {
  /** An emulator, which gets the requests as they are. Undefined for AWS, whose requests are signed anew. */
  readonly endpoint: string | undefined;
  /** The caller's variables, which lead to credentials. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
};

/** Ends each refusal of a resource that the template does not declare. */
export const RELAY_HINT =
  'it is not in the template. With --aws passthrough or --aws-endpoint URL, openray hands such calls of functions on.';

export function undeclaredFunction(nameOrArn: string): OpenrayError {
  return new OpenrayError('ResourceNotFoundException', `Function not found: ${nameOrArn}: ${RELAY_HINT}`);
}

/** Ends each refusal of an operation that openray's own services do not have. */
export const OPERATION_HINT =
  'With --aws passthrough or --aws-endpoint URL, openray hands such calls of functions on, to AWS or to an emulator.';

/** Lambda's longest synchronous invocation. */
const TIMEOUT_MS = 15 * 60 * 1000;
const SCOPE = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/(lambda|sqs|sns|events)\/aws4_request/;
/** Headers of one connection, or of one signature. */
const DROPPED_HEADERS = ['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'expect'];
const SIGNATURE_HEADERS = ['authorization', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256'];

/** Hands requests for resources that the template does not declare on to an emulator or to AWS. */
export function openAwsRelay({ endpoint, hostVariables }: AwsRelayOptions): AwsRelay {
  const sign = endpoint === undefined ? newSigner(hostVariables) : undefined;
  return async (request, body, response) => {
    try {
      if (isFromWebPage(request)) throw new Error('web pages may not call AWS through openray');
      if (!SCOPE.test(request.headers.authorization ?? '')) throw new Error('it is not signed for one of the services');
      const headers = withoutHeaders(request, DROPPED_HEADERS);
      const path = request.url ?? '/';
      const target =
        sign === undefined
          ? { url: new URL(path.replace(/^\/+/, '/'), endpoint), headers }
          : await sign(request, path, withoutHeaders(request, [...DROPPED_HEADERS, ...SIGNATURE_HEADERS]), body);
      await exchange(request.method ?? 'POST', target, body, response);
    } catch (error) {
      refuse(response, (error as Error).message);
    }
  };
}

/** A page has an origin, and under a rebound name another host: it must not use the caller's credentials. */
function isFromWebPage({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || !/^(127(\.\d{1,3}){3}|localhost)(:\d+)?$/.test(headers.host ?? '');
}

function withoutHeaders({ headers }: IncomingMessage, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || names.includes(name) ? [] : [[name, String(value)]],
    ),
  );
}

type Target = { readonly url: URL; readonly headers: Readonly<Record<string, string>> };

function exchange(method: string, { url, headers }: Target, body: Buffer, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(url, { method, headers: { ...headers, 'content-length': body.length }, timeout: TIMEOUT_MS });
    response.once('close', () => outgoing.destroy());
    outgoing.once('timeout', () => outgoing.destroy(new Error(`${url.host} did not answer`)));
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, withoutHeaders(incoming, ['connection', 'keep-alive']));
      pipeline(incoming, response).then(resolve, reject);
    });
    outgoing.end(body);
  });
}

/** An error that clients of all four protocols show. */
function refuse(response: ServerResponse, reason: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = `openray could not hand this call on: ${reason}`;
  response
    .writeHead(502, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': 'RelayFailure' })
    .end(JSON.stringify({ __type: 'RelayFailure', message, Message: message }));
}

type Sign = (
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
) => Promise<Target>;

/**
 * Signs requests for AWS, in the region and for the service of the function's own signature. The SDK's signer and
 * credential chain are loaded by the first request.
 */
export function newSigner(variables: AwsRelayOptions['hostVariables']): Sign {
  let loading: ReturnType<typeof loadSigner> | undefined;
  return async (request, path, headers, body) => {
    const [, region = '', service = ''] = SCOPE.exec(request.headers.authorization ?? '') ?? [];
    const hostname = `${service}.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
    const url = new URL(path.replace(/^\/+/, '/'), `https://${hostname}`);
    loading ??= loadSigner(variables);
    const { SignatureV4, credentials } = await loading;
    const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 });
    const signed = await signer.sign({
      method: request.method ?? 'POST',
      protocol: url.protocol,
      hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: hostname },
      body,
    });
    return { url, headers: signed.headers };
  };
}

async function loadSigner(variables: AwsRelayOptions['hostVariables']) {
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = variables;
  if (accessKeyId && secretAccessKey) {
    const sessionToken = variables.AWS_SESSION_TOKEN;
    return { SignatureV4, credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } };
  }
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const profile = variables.AWS_PROFILE || variables.AWS_DEFAULT_PROFILE;
  return { SignatureV4, credentials: defaultProvider(profile ? { profile } : {}) };
}

/** The hash that the signer asks for, by Node's own. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(bytes: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(bytes));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function bytesOf(value: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value);
}
