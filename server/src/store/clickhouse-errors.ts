import { OpenrayError } from '../errors.ts';

/** Codes of ClickHouse that mean something to the caller. @see src/Common/ErrorCodes.cpp of ClickHouse */
const TIMEOUT_EXCEEDED = 159;
const TOO_SLOW = 160;
const MEMORY_LIMIT_EXCEEDED = 241;
const NOT_ENOUGH_SPACE = 243;
const TOO_MANY_PARTS = 252;
const QUERY_WAS_CANCELLED = 394;
const TOO_MANY_ROWS_OR_BYTES = 396;

const RETRY_AFTER_SECONDS = 5;

/** A shard that is away, told by the host that asked it. */
const SHARD_UNAVAILABLE: ReadonlySet<number> = new Set([
  32, // ATTEMPT_TO_READ_AFTER_EOF: it went away while it answered
  198, // DNS_ERROR
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  279, // ALL_CONNECTION_TRIES_FAILED
  369, // ALL_REPLICAS_ARE_STALE
]);
/** Wrong user or password, no right to do this, no such database. */
const ACCESS_DENIED: ReadonlySet<number> = new Set([81, 192, 193, 194, 497, 516]);

/** What a failure of ClickHouse is to whoever asked. An OpenrayError stays what it is. */
export function toStoreFailure(thrown: unknown): OpenrayError {
  if (thrown instanceof OpenrayError) return thrown;
  const cause = thrown;
  if (isUnreachable(thrown)) {
    return new OpenrayError('ServiceUnavailable', `ClickHouse can not be reached: ${firstLine(thrown)}`, {
      cause,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  if (isShardUnavailable(thrown)) {
    return new OpenrayError('ServiceUnavailable', 'A shard of the store can not be reached', {
      cause,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  if (ACCESS_DENIED.has(clickhouseCode(thrown) ?? 0)) {
    return new OpenrayError('StoreUnusable', `ClickHouse refuses this user: ${firstLine(thrown)}`, { cause });
  }
  switch (clickhouseCode(thrown)) {
    case TIMEOUT_EXCEEDED:
    case TOO_SLOW:
      return new OpenrayError('QueryTimeout', 'The query took longer than it may; ask for a smaller window', { cause });
    case MEMORY_LIMIT_EXCEEDED:
      return new OpenrayError(
        'ServiceUnavailable',
        'The query needed more memory than it may; ask for a smaller window',
        {
          cause,
        },
      );
    case TOO_MANY_ROWS_OR_BYTES:
      return new OpenrayError('InvalidRequestException', 'The answer has more rows than one may have; ask for less', {
        cause,
      });
    case QUERY_WAS_CANCELLED:
      return new OpenrayError('RequestCancelled', 'The query was cancelled', { cause });
    case TOO_MANY_PARTS:
      return new OpenrayError('ThrottledException', 'The store is behind with merging what it was sent', {
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

/** The code of ClickHouse in an error of the binding, of the client, or in the text of one; undefined in any other. */
function clickhouseCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ('clickhouseCode' in thrown && typeof thrown.clickhouseCode === 'number') return thrown.clickhouseCode;
  const code = 'code' in thrown && 'type' in thrown ? thrown.code : /\bCode: (\d+)\. /.exec(thrown.message)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** Whether a shard of a cluster could not be asked; the host that says so can be reached. */
export function isShardUnavailable(thrown: unknown): boolean {
  return !(thrown instanceof OpenrayError) && SHARD_UNAVAILABLE.has(clickhouseCode(thrown) ?? 0);
}

/** Whether the host could not be asked at all, or went away before it had answered. */
export function isUnreachable(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || thrown instanceof OpenrayError) return false;
  const code = clickhouseCode(thrown);
  if (code !== undefined) return code === SHUTTING_DOWN;
  return CONNECTION_CODES.has('code' in thrown ? String(thrown.code) : '') || CONNECTION_LOST.test(thrown.message);
}

/** ABORTED, which ClickHouse answers with while it ends. */
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

export const firstLine = (thrown: unknown): string => messageOf(thrown).split('\n')[0] ?? '';
