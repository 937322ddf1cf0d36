import { OpenrayError } from '../errors.ts';

/** Codes of ClickHouse that mean something to the caller. @see src/Common/ErrorCodes.cpp of ClickHouse */
const TIMEOUT_EXCEEDED = 159;
const TOO_SLOW = 160;
const MEMORY_LIMIT_EXCEEDED = 241;
const NOT_ENOUGH_SPACE = 243;
const TOO_MANY_PARTS = 252;
const QUERY_WAS_CANCELLED = 394;
const TOO_MANY_ROWS_OR_BYTES = 396;

/** What a failure of ClickHouse is to whoever asked. An OpenrayError stays what it is. */
export function toStoreFailure(thrown: unknown): OpenrayError {
  if (thrown instanceof OpenrayError) return thrown;
  const cause = thrown;
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

/** The code of ClickHouse in an error of the binding, undefined in any other. */
function clickhouseCode(thrown: unknown): number | undefined {
  const isCoded = typeof thrown === 'object' && thrown !== null && 'clickhouseCode' in thrown;
  return isCoded && typeof thrown.clickhouseCode === 'number' ? thrown.clickhouseCode : undefined;
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
