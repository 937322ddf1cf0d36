import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import { readPartialSuccess, readStatus } from './otlp-response.ts';
import type { OtlpSender } from './otlp-sender.ts';
import { readRetryAfter, type SendResult } from './send-with-retries.ts';

const gzipBytes = promisify(gzip);

/** Spans are repetitive: the fastest level compresses them nearly as well, in half the time. */
const FAST = { level: constants.Z_BEST_SPEED };

const MAX_REASON_CHARACTERS = 300;
/** The only statuses that OTLP allows to retry. */
const RETRYABLE_STATUSES = new Set([429, 502, 503, 504]);

/**
 * OTLP over HTTP.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export function openOtlpHttpSender({ protocol, urls, headers, isCompressed, timeoutMs }: OtlpEndpoint): OtlpSender {
  const type = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
  const encoding = isCompressed ? { 'content-encoding': 'gzip' } : {};
  return {
    async send(signal, body, cancel) {
      try {
        const response = await fetch(urls[signal], {
          method: 'POST',
          headers: { ...headers, 'content-type': type, ...encoding },
          body: new Uint8Array(isCompressed ? await gzipBytes(body, FAST) : body),
          // A redirect would send secret headers to another host.
          redirect: 'manual',
          signal: AbortSignal.any([cancel, AbortSignal.timeout(timeoutMs)]),
        });
        return sendResultOf(response, Buffer.from(await response.arrayBuffer()));
      } catch (thrown) {
        return { kind: 'retry', reason: reasonOf(thrown) };
      }
    },
    close() {},
  };
}

/** Some backends respond in another encoding than that of the request: the response's content type decides. */
function sendResultOf({ status, headers }: Response, body: Buffer): SendResult {
  const isProtobuf = headers.get('content-type')?.startsWith('application/x-protobuf') === true;
  if (status >= 200 && status < 300) return isProtobuf ? readPartialSuccess(body) : partialSuccessOf(body.toString());
  const message = isProtobuf ? readStatus(body).message : body.toString();
  const reason = `${status} ${message.slice(0, MAX_REASON_CHARACTERS)}`.trim();
  if (!RETRYABLE_STATUSES.has(status)) return { kind: 'rejected', reason };
  return { kind: 'retry', reason, retryAfterMs: readRetryAfter(headers.get('retry-after')) };
}

type PartialSuccess = {
  readonly rejectedSpans?: string | number;
  readonly rejectedLogRecords?: string | number;
  readonly errorMessage?: string;
};

function partialSuccessOf(body: string): SendResult {
  let partial: PartialSuccess | null | undefined;
  try {
    partial = (JSON.parse(body) as { partialSuccess?: PartialSuccess | null } | null)?.partialSuccess;
  } catch {
    // Some backends send an empty body. The status alone means success.
    return { kind: 'accepted', rejected: 0 };
  }
  const rejected = Number(partial?.rejectedSpans ?? partial?.rejectedLogRecords ?? 0);
  return { kind: 'accepted', rejected: Number.isSafeInteger(rejected) ? rejected : 0, reason: partial?.errorMessage };
}

/** The errors of `fetch` have the reason in their cause. */
function reasonOf(thrown: unknown): string {
  const { message, cause } = thrown as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(thrown);
}
