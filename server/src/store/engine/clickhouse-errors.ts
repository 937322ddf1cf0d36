import { OpenrayError } from '../../errors.ts';

/** Error codes of ClickHouse that callers can act on. @see src/Common/ErrorCodes.cpp of ClickHouse */
const TIMEOUT_EXCEEDED = 159;
const TOO_SLOW = 160;
const MEMORY_LIMIT_EXCEEDED = 241;
const NOT_ENOUGH_SPACE = 243;
const TOO_MANY_PARTS = 252;
const QUERY_WAS_CANCELLED = 394;
const TOO_MANY_ROWS_OR_BYTES = 396;

const RETRY_AFTER_SECONDS = 5;

/** A host reports that it cannot reach a shard. */
const SHARD_UNAVAILABLE: ReadonlySet<number> = new Set([
  32, // ATTEMPT_TO_READ_AFTER_EOF: the connection was lost during the response
  198, // DNS_ERROR
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  279, // ALL_CONNECTION_TRIES_FAILED
  369, // ALL_REPLICAS_ARE_STALE
]);
/** Wrong user or password, no right to do this, no such database. */
const ACCESS_DENIED: ReadonlySet<number> = new Set([81, 192, 193, 194, 497, 516]);

/** Maps a failure of ClickHouse to an error for the caller. Returns an OpenrayError unchanged. */
export function toStoreFailure(thrown: unknown): OpenrayError {
  if (thrown instanceof OpenrayError) return thrown;
  const cause = thrown;
  if (isUnreachable(thrown)) {
    return new OpenrayError('ServiceUnavailable', `ClickHouse cannot be reached: ${firstLine(thrown)}`, {
      cause,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  if (isShardUnavailable(thrown)) {
    return new OpenrayError('ServiceUnavailable', 'A shard of the store cannot be reached', {
      cause,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  if (ACCESS_DENIED.has(clickhouseCode(thrown) ?? 0)) {
    return new OpenrayError('StoreUnusable', `ClickHouse denied access to this user: ${firstLine(thrown)}`, { cause });
  }
  switch (clickhouseCode(thrown)) {
    case TIMEOUT_EXCEEDED:
    case TOO_SLOW:
      return new OpenrayError('QueryTimeout', 'The query exceeded its time limit; use a smaller window', { cause });
    case MEMORY_LIMIT_EXCEEDED:
      return new OpenrayError('ServiceUnavailable', 'The query exceeded its memory limit; use a smaller window', {
        cause,
      });
    case TOO_MANY_ROWS_OR_BYTES:
      return new OpenrayError('InvalidRequestException', 'The result exceeds the limit of rows; request less', {
        cause,
      });
    case QUERY_WAS_CANCELLED:
      return new OpenrayError('RequestCancelled', 'The query was cancelled', { cause });
    case TOO_MANY_PARTS:
      return new OpenrayError('ThrottledException', 'The store is behind with merging parts', {
        cause,
        retryAfterSeconds: 5,
      });
    case NOT_ENOUGH_SPACE:
      return new OpenrayError('StoreUnusable', 'There is no space left on the disk that holds the data', { cause });
    default:
      if (/no space left on device/i.test(messageOf(thrown))) {
        return new OpenrayError('StoreUnusable', 'There is no space left on the disk that holds the data', { cause });
      }
      return new OpenrayError('InternalFailure', 'The store failed on this request; the log has the cause', { cause });
  }
}

/** ClickHouse's code in an error of the binding, of the client, or in its text; undefined for other errors. */
export function clickhouseCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ('clickhouseCode' in thrown && typeof thrown.clickhouseCode === 'number') return thrown.clickhouseCode;
  const code = 'code' in thrown && 'type' in thrown ? thrown.code : /\bCode: (\d+)\. /.exec(thrown.message)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** Whether a shard of a cluster cannot be reached. The host that reports it can. */
export function isShardUnavailable(thrown: unknown): boolean {
  return !(thrown instanceof OpenrayError) && SHARD_UNAVAILABLE.has(clickhouseCode(thrown) ?? 0);
}

/** Whether the host cannot be reached, or the connection was lost before the response was complete. */
export function isUnreachable(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || thrown instanceof OpenrayError) return false;
  const code = clickhouseCode(thrown);
  if (code !== undefined) return code === SHUTTING_DOWN;
  return CONNECTION_CODES.has('code' in thrown ? String(thrown.code) : '') || CONNECTION_LOST.test(thrown.message);
}

/** ABORTED: ClickHouse is shutting down. */
const SHUTTING_DOWN = 236;
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
const CONNECTION_LOST = /socket hang up|aborted|timeout|cut short|premature close/i;

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The message of the cause, which names the fault; of the failure itself if it has no cause. */
export function causeMessageOf(thrown: unknown): string {
  return messageOf((thrown instanceof Error ? thrown.cause : undefined) ?? thrown);
}

export const firstLine = (thrown: unknown): string => messageOf(thrown).split('\n')[0] ?? '';
