import { isJsonObject, type JsonObject, type JsonValue, listOf } from '../../model/json.ts';
import type { AwsServiceResponse } from '../spec/services.ts';
import { OPERATION_HINT, RELAY_HINT } from './aws-relay.ts';
import type { Broker } from './broker.ts';
import type { ServiceRequest } from './service-call.ts';

/** PutEvents of EventBridge. */
export function handleEventBridge(
  broker: Broker,
  { operation, body, traceHeader }: ServiceRequest,
): AwsServiceResponse {
  if (operation !== 'PutEvents') {
    const message = `openray's local event bus has no ${operation.slice(0, 100)}; it has PutEvents. ${OPERATION_HINT}`;
    return json(400, { __type: 'UnknownOperationException', message });
  }
  const input = parse(body);
  if (!isJsonObject(input)) {
    return json(400, { __type: 'SerializationException', message: 'The body is not a JSON object' });
  }
  const { Entries: given } = input;
  const problem = entriesProblem(given);
  if (problem !== undefined) {
    const message = `1 validation error detected: Value at 'entries' failed to satisfy constraint: ${problem}`;
    return json(400, { __type: 'ValidationException', message });
  }
  if (listOf(given).every((entry) => missingBus(broker, entry) !== undefined)) {
    const message = `Event bus ${missingBus(broker, listOf(given)[0] ?? null)} does not exist: ${RELAY_HINT}`;
    return json(400, { __type: 'ResourceNotFoundException', message });
  }
  // One result an entry, in order: clients find the entries that failed by their index.
  const results = listOf(given).map((entry) => {
    if (!isJsonObject(entry)) return invalidEntry('The entry is not an object.');
    const missing = ['Source', 'DetailType', 'Detail'].find(
      (name) => typeof entry[name] !== 'string' || entry[name] === '',
    );
    if (missing !== undefined)
      return invalidEntry(`Parameter ${missing} is not valid. Reason: ${missing} is a required argument.`);
    const detail = parse(String(entry.Detail ?? '{}'));
    if (!isJsonObject(detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const bus = missingBus(broker, entry);
    if (bus !== undefined) return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: mixedBusesMessage(bus) };
    const EventId = broker.putEvent({
      source: String(entry.Source ?? ''),
      detailType: String(entry.DetailType ?? ''),
      detail,
      resources: Array.isArray(entry.Resources) ? entry.Resources.map(String) : [],
      bus: typeof entry.EventBusName === 'string' ? entry.EventBusName : undefined,
      traceHeader: typeof entry.TraceHeader === 'string' ? entry.TraceHeader : traceHeader,
    });
    return { EventId };
  });
  return json(200, { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results });
}

/** Whether openray's own bus answers: a call that has an event for a bus of the template, or none that can be read. */
export function concernsLocalBus(broker: Broker, body: string): boolean {
  const input = parse(body);
  const entries = isJsonObject(input) ? listOf(input.Entries) : [];
  return entries.length === 0 || entries.some((entry) => missingBus(broker, entry) === undefined);
}

/** The bus of the entry, when the template has no such bus. */
function missingBus(broker: Broker, entry: JsonValue): string | undefined {
  const bus = isJsonObject(entry) ? entry.EventBusName : undefined;
  return typeof bus === 'string' && !broker.hasBus(bus) ? bus.slice(0, 300) : undefined;
}

function mixedBusesMessage(bus: string): string {
  return `Event bus ${bus} does not exist: it is not in the template. Send its events in calls of their own, which openray passes on with --aws passthrough or --aws-endpoint URL.`;
}

const ENTRIES_MAX = 10;

function entriesProblem(entries: JsonValue | undefined): string | undefined {
  if (!Array.isArray(entries)) return 'Member must not be null';
  if (entries.length === 0) return 'Member must have length greater than or equal to 1';
  return entries.length > ENTRIES_MAX ? `Member must have length less than or equal to ${ENTRIES_MAX}` : undefined;
}

function invalidEntry(message: string) {
  return { ErrorCode: 'InvalidArgument', ErrorMessage: message };
}

function json(status: number, body: JsonObject): AwsServiceResponse {
  return { status, type: 'application/x-amz-json-1.1', body: JSON.stringify(body) };
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
