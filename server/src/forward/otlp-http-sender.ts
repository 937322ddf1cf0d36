import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { OtlpSender } from './open-otlp-sender.ts';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import { readPartialSuccess, readStatus } from './otlp-response.ts';
import { readRetryAfter, type SendResult } from './send-with-retries.ts';

const gzipBytes = promisify(gzip);

/** Spans are much alike: the least effort packs them nearly as well, in half the time. */
const FAST = { level: constants.Z_BEST_SPEED };

const MAX_REASON_CHARACTERS = 300;
/** Only these are worth another try, says the protocol. */
const RETRYABLE_STATUSES = new Set([429, 502, 503, 504]);

/**
 * OTLP over HTTP.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export function openOtlpHttpSender({
  protocol,
  urls,
  headers,
  isCompressed: isPacked,
  timeoutMs,
}: OtlpEndpoint): OtlpSender {
  const type = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
  const encoding = isPacked ? { 'content-encoding': 'gzip' } : {};
  return {
    async send(signal, body, cancel) {
      try {
        const answer = await fetch(urls[signal], {
          method: 'POST',
          headers: { ...headers, 'content-type': type, ...encoding },
          body: new Uint8Array(isPacked ? await gzipBytes(body, FAST) : body),
          // Headers with secrets go nowhere but where they were meant to.
          redirect: 'manual',
          signal: AbortSignal.any([cancel, AbortSignal.timeout(timeoutMs)]),
        });
        return sendResultOf(answer, Buffer.from(await answer.arrayBuffer()));
      } catch (thrown) {
        return { kind: 'retry', reason: reasonOf(thrown) };
      }
    },
    close() {},
  };
}

/** Some answer in another encoding than they were asked in: their word for it counts. */
function sendResultOf({ status, headers }: Response, body: Buffer): SendResult {
  const isProtobuf = headers.get('content-type')?.startsWith('application/x-protobuf') === true;
  if (status >= 200 && status < 300) return isProtobuf ? readPartialSuccess(body) : partialSuccessOf(body.toString());
  const said = isProtobuf ? readStatus(body).message : body.toString();
  const reason = `${status} ${said.slice(0, MAX_REASON_CHARACTERS)}`.trim();
  if (!RETRYABLE_STATUSES.has(status)) return { kind: 'refused', reason };
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
