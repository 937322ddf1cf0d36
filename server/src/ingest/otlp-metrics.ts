import {
  type BoundedReader,
  checkFieldEnd,
  newBoundedReader,
  readFieldEnd,
} from '../model/otlp/wire/bounded-reader.ts';
import type { Stats } from '../stats.ts';
import { countDataPoints } from './otlp-json.ts';
import { type OtlpEncoding, readMessage } from './otlp-request.ts';

/**
 * The number of data points in a request for metrics. Throws SerializationException when the bytes are not a message of
 * the encoding, RequestTooLargeException.
 */
export function readDataPointCount(bytes: Buffer, encoding: OtlpEncoding): number {
  return encoding === 'json' ? countDataPoints(bytes.toString('utf8')) : readMessage(() => decodeDataPointCount(bytes));
}

/**
 * Numbers of the fields that lead to a data point: resource_metrics, scope_metrics, metrics, one of the kinds of data
 * (gauge, sum, histogram, exponential_histogram, summary), data_points.
 */
const DATA_POINT_PATH: readonly (readonly number[])[] = [[1], [2], [2], [5, 7, 9, 10, 11], [1]];

function decodeDataPointCount(bytes: Buffer): number {
  const reader = newBoundedReader(bytes);
  return countFields(reader, reader.len, DATA_POINT_PATH);
}

/** Counts the fields at the end of the path; only their lengths are read. */
function countFields(reader: BoundedReader, end: number, path: readonly (readonly number[])[]): number {
  const [fields = [], ...inner] = path;
  let count = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!fields.includes(tag >>> 3) || (tag & 7) !== LENGTH_DELIMITED) {
      reader.skipType(tag & 7);
      continue;
    }
    const fieldEnd = readFieldEnd(reader);
    if (inner.length > 0) count += countFields(reader, fieldEnd, inner);
    else {
      count += 1;
      reader.pos = fieldEnd;
    }
  }
  checkFieldEnd(reader, end);
  return count;
}

const LENGTH_DELIMITED = 2;

/**
 * Counts the data points of a request and drops them: openray stores traces. Logs one warning only, since
 * exporters send metrics every minute.
 */
export function newMetricsDropper(
  stats: Pick<Stats, 'ignored'>,
  log: { warn(fields: object, sentence: string): void },
): (dataPoints: number) => void {
  let isLogged = false;
  return (dataPoints) => {
    stats.ignored.dataPoints += dataPoints;
    if (isLogged || dataPoints === 0) return;
    isLogged = true;
    log.warn(
      { dataPoints },
      'metrics dropped: openray stores traces; OTEL_METRICS_EXPORTER=none stops an exporter, /metrics counts further ones',
    );
  };
}
