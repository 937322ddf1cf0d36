import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { AwsServiceResponse } from '../spec/services.ts';
import type { Broker } from './broker.ts';
import type { ServiceRequest } from './service-call.ts';

/** PutEvents of EventBridge. */
export function handleEventBridge(
  broker: Broker,
  { operation, body, traceHeader }: ServiceRequest,
): AwsServiceResponse {
  const input = parse(body);
  if (operation !== 'PutEvents' || !isJsonObject(input) || !Array.isArray(input.Entries)) {
    return json(400, {
      __type: 'ValidationException',
      message: `openray's local event bus does not support ${operation}`,
    });
  }
  // One result an entry, in order: clients find the entries that failed by their index.
  const results = (input.Entries as readonly JsonValue[]).map((entry) => {
    if (!isJsonObject(entry)) return invalidEntry('The entry is not an object.');
    const missing = ['Source', 'DetailType', 'Detail'].find(
      (name) => typeof entry[name] !== 'string' || entry[name] === '',
    );
    if (missing !== undefined)
      return invalidEntry(`Parameter ${missing} is not valid. Reason: ${missing} is a required argument.`);
    const detail = parse(String(entry.Detail ?? '{}'));
    if (!isJsonObject(detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
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
