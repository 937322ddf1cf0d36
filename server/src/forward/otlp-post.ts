import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Delivery, readRetryAfter } from './delivery.ts';

const pack = promisify(gzip);

/** Another backend's OTLP/HTTP: requests go to `<url>/v1/traces` and `<url>/v1/logs`. */
export type OtlpEndpoint = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

const TIMEOUT_MS = 10_000;
const SHOWN_CHARACTERS = 300;
/** Only these are worth another try, says the protocol. */
const RETRYABLE = new Set([429, 502, 503, 504]);

/**
 * `url` as users write it: the base, or the whole address of `/v1/traces`; a name and password in it become a header.
 * `headers` are `name=value`.
 */
export function otlpEndpoint(url: string, headers: readonly string[] = []): OtlpEndpoint {
  const { origin, pathname, search, username, password } = new URL(url);
  const base = pathname.replace(/\/(v1\/traces\/?)?$/, '');
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    url: `${origin}${base}${search}`,
    headers: {
      ...(credentials !== ':' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
      ...Object.fromEntries(headers.map(headerOf)),
    },
  };
}

function headerOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}

/**
 * Sends one OTLP/JSON request, gzipped. Never rejects: what went wrong is in the delivery, without the headers that were
 * sent.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export async function postOtlp(
  { url, headers }: OtlpEndpoint,
  signal: 'traces' | 'logs',
  json: string,
  cancel: AbortSignal,
): Promise<Delivery> {
  const target = new URL(url);
  target.pathname = `${target.pathname.replace(/\/$/, '')}/v1/${signal}`;
  try {
    const answer = await fetch(target, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: new Uint8Array(await pack(json)),
      // Headers with secrets go nowhere but where they were meant to.
      redirect: 'manual',
      signal: AbortSignal.any([cancel, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return deliveryOf(answer.status, answer.headers.get('retry-after'), await answer.text());
  } catch (thrown) {
    return { kind: 'retry', reason: reasonOf(thrown) };
  }
}

function deliveryOf(status: number, retryAfter: string | null, body: string): Delivery {
  const reason = `${status} ${body.slice(0, SHOWN_CHARACTERS)}`.trim();
  if (RETRYABLE.has(status)) return { kind: 'retry', reason, afterMs: readRetryAfter(retryAfter) };
  if (status < 200 || status >= 300) return { kind: 'refused', reason };
  return partialSuccessOf(body);
}

type PartialSuccess = {
  readonly rejectedSpans?: string | number;
  readonly rejectedLogRecords?: string | number;
  readonly errorMessage?: string;
};

function partialSuccessOf(body: string): Delivery {
  let partial: PartialSuccess | null | undefined;
  try {
    partial = (JSON.parse(body) as { partialSuccess?: PartialSuccess | null } | null)?.partialSuccess;
  } catch {
    // The status has said all that counts: some answer with nothing.
    return { kind: 'taken', rejected: 0 };
  }
  const rejected = Number(partial?.rejectedSpans ?? partial?.rejectedLogRecords ?? 0);
  return { kind: 'taken', rejected: Number.isSafeInteger(rejected) ? rejected : 0, reason: partial?.errorMessage };
}

/** `fetch` hides why it failed in the cause. */
function reasonOf(thrown: unknown): string {
  const { message, cause } = thrown as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(thrown);
}
