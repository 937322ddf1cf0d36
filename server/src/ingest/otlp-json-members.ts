import { OpenrayError } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';

const protobufNames = new Map<string, string>();

/**
 * A member by its name in JSON, or else by its name in protobuf, for example `trace_id` for `traceId`: readers of
 * protobuf's JSON accept both.
 * @see https://protobuf.dev/programming-guides/json/#field-representation
 */
export function memberOf(from: JsonObject, name: string): JsonValue | undefined {
  const value = from[name];
  return value === undefined ? from[protobufNameOf(name)] : value;
}

function protobufNameOf(name: string): string {
  let found = protobufNames.get(name);
  if (found === undefined) {
    found = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    protobufNames.set(name, found);
  }
  return found;
}

/** The members of one kind of container, and the list in it that leads to the data. */
type Level = { readonly list: string; readonly others: readonly string[] };

export type Signal = 'traces' | 'logs' | 'metrics';

const LEVELS: Readonly<Record<Signal, readonly Level[]>> = {
  traces: levels('resourceSpans', 'scopeSpans', 'spans'),
  logs: levels('resourceLogs', 'scopeLogs', 'logRecords'),
  metrics: levels('resourceMetrics', 'scopeMetrics', 'metrics'),
};

function levels(resources: string, scopes: string, data: string): readonly Level[] {
  return [
    { list: resources, others: [] },
    { list: scopes, others: ['resource', 'schemaUrl'] },
    { list: data, others: ['scope', 'schemaUrl'] },
  ];
}

/**
 * For a body without any data: throws SerializationException when a container has a member that the protocol does not
 * define there, since its sender would take the success for stored data. An empty body is valid.
 */
export function refuseUnknownMembers(body: JsonObject, signal: Signal): void {
  const unknown = firstUnknownMember(body, LEVELS[signal], '');
  if (unknown === undefined) return;
  const sentence = `nothing of the body was understood: ${unknown.path} is not a member of a request for /v1/${signal}, "${unknown.expected}" is`;
  throw new OpenrayError('SerializationException', `${sentence}${hintFor(unknown.name, signal)}`);
}

type UnknownMember = { readonly path: string; readonly name: string; readonly expected: string };

function firstUnknownMember(
  from: JsonObject,
  [level, ...inner]: readonly Level[],
  path: string,
): UnknownMember | undefined {
  if (level === undefined) return undefined;
  const known = [level.list, ...level.others].flatMap((name) => [name, protobufNameOf(name)]);
  const unknown = Object.keys(from).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const shown = unknown.slice(0, 80);
    return { path: JSON.stringify(`${path}${shown}`), name: unknown, expected: level.list };
  }
  const items = memberOf(from, level.list);
  if (!Array.isArray(items)) return undefined;
  for (const [index, item] of items.entries()) {
    if (!isJsonObject(item)) continue;
    const found = firstUnknownMember(item, inner, `${path}${level.list}[${index}].`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function hintFor(name: string, signal: Signal): string {
  if (/^(instrumentationLibrary|instrumentation_library_)/.test(name)) {
    return '; this is the protocol before version 0.19 of 2022: update the exporter';
  }
  for (const other of Object.keys(LEVELS) as readonly Signal[]) {
    const list = LEVELS[other][0]?.list ?? '';
    if (other !== signal && (name === list || name === protobufNameOf(list))) return `; send it to /v1/${other}`;
  }
  return '';
}
