import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import type { TraceId } from './trace-id.ts';

/** A log event of a function, an extension or Lambda itself. */
export type LogEvent = {
  readonly functionName: string;
  /** Microseconds since 1970. */
  readonly atUs: number;
  readonly traceId: TraceId | undefined;
  readonly requestId: string | undefined;
  readonly logGroup: string;
  readonly logStream: string;
  readonly source: 'platform' | 'function' | 'extension';
  /** In capitals; empty if the text names none. */
  readonly level: string;
  /** Without a final line break; may have several lines. */
  readonly text: string;
};

/** A metric that a function printed in CloudWatch's embedded format. */
export type LogMetric = {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly dimensions: Readonly<Record<string, string>>;
};

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'WARNING', 'ERROR', 'FATAL', 'CRITICAL'];

/** The level that a text names: in a field of JSON, or in the format of the runtimes of Node and Python. */
export function levelOf(text: string): string {
  const object = asObject(text);
  const named = object?.level ?? object?.log_level;
  const written = /^(?:\d{4}-[^\t]*\t[^\t]*\t([A-Z]+)\t|\[([A-Z]+)\])/.exec(text);
  const level = (typeof named === 'string' ? named : (written?.[1] ?? written?.[2] ?? '')).toUpperCase();
  if (level === 'WARNING') return 'WARN';
  return LEVELS.includes(level) ? level : '';
}

/**
 * The metrics of a line in the embedded metric format, empty for any other line.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function metricsOf(text: string): readonly LogMetric[] {
  if (!text.includes('"CloudWatchMetrics"')) return [];
  const object = asObject(text);
  const { CloudWatchMetrics: directives } = isJsonObject(object?._aws) ? object._aws : {};
  if (object === undefined || !Array.isArray(directives)) return [];
  return (directives as readonly JsonValue[]).filter(isJsonObject).flatMap((directive) => {
    const dimensions = dimensionsOf(directive, object);
    return listOf(directive.Metrics).flatMap((metric): readonly LogMetric[] => {
      const { Name: name, Unit: unit = 'None' } = isJsonObject(metric) ? metric : {};
      if (typeof name !== 'string') return [];
      const value = object[name];
      const values = (Array.isArray(value) ? (value as readonly JsonValue[]) : [value]).filter(isNumber);
      return [{ namespace: String(directive.Namespace ?? ''), name, unit: String(unit), values, dimensions }];
    });
  });
}

function dimensionsOf(directive: JsonObject, object: JsonObject): Record<string, string> {
  const names = listOf(directive.Dimensions).flatMap((set) => listOf(set).map(String));
  return Object.fromEntries(names.flatMap((name) => (name in object ? [[name, String(object[name])]] : [])));
}

function asObject(text: string): JsonObject | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function isNumber(value: JsonValue | undefined): value is number {
  return typeof value === 'number';
}
