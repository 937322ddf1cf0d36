import { isJsonObject, type JsonObject, type JsonValue, listOf } from '../../model/json.ts';
import { ServiceError } from './service-error.ts';

/** Largest message, and largest sum of a batch. */
const MESSAGE_MAX_BYTES = 1024 * 1024;
const ENTRIES_MAX = 10;
const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;
const RECEIPT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Throws MissingParameter when a member is absent or empty. */
export function requireTexts(input: JsonObject, ...names: readonly string[]): void {
  for (const name of names) {
    const value = input[name];
    if (value === undefined || value === null || value === '') {
      throw new ServiceError('MissingParameter', `The request must contain the parameter ${name}.`);
    }
    if (typeof value !== 'string') throw invalidValue(name, value, 'Must be a text');
  }
}

/** Undefined when the member is absent. Throws InvalidParameterValue when it is no whole number within the bounds. */
export function wholeNumber(input: JsonObject, name: string, min: number, max: number): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidValue(name, value, `Must be between ${min} and ${max}, if provided`);
}

export function checkMessage(input: JsonObject): void {
  requireTexts(input, 'MessageBody');
  wholeNumber(input, 'DelaySeconds', 0, 900);
  if (Buffer.byteLength(String(input.MessageBody)) > MESSAGE_MAX_BYTES) {
    const reason = `Reason: Message must be shorter than ${MESSAGE_MAX_BYTES} bytes.`;
    throw new ServiceError('InvalidParameterValue', `One or more parameters are invalid. ${reason}`);
  }
}

/** A handle that SQS did not give is invalid; one of an earlier delivery has no effect. */
export function checkReceipt(input: JsonObject): void {
  requireTexts(input, 'ReceiptHandle');
  const handle = String(input.ReceiptHandle);
  if (RECEIPT.test(handle)) return;
  const message = `The input receipt handle "${handle.slice(0, 100)}" is not a valid receipt handle.`;
  throw new ServiceError('ReceiptHandleIsInvalid', message);
}

export function checkVisibility(input: JsonObject): void {
  if (wholeNumber(input, 'VisibilityTimeout', 0, 43_200) !== undefined) return;
  throw new ServiceError('MissingParameter', 'The request must contain the parameter VisibilityTimeout.');
}

/** The entries of a batch. Throws when the batch as a whole is invalid; an entry may be invalid by itself. */
export function batchEntries(input: JsonObject, entryType: string): readonly JsonObject[] {
  const entries = listOf(input.Entries).filter(isJsonObject);
  if (entries.length === 0) {
    throw new ServiceError('EmptyBatchRequest', `There should be at least one ${entryType} in the request.`);
  }
  if (entries.length > ENTRIES_MAX) {
    const message = `Maximum number of entries per request are ${ENTRIES_MAX}. You have sent ${entries.length}.`;
    throw new ServiceError('TooManyEntriesInBatchRequest', message);
  }
  const ids = new Set<string>();
  for (const { Id: id } of entries) {
    if (typeof id !== 'string' || !ENTRY_ID.test(id)) {
      const form = 'only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.';
      throw new ServiceError('InvalidBatchEntryId', `A batch entry id can ${form}`);
    }
    if (ids.has(id)) throw new ServiceError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    ids.add(id);
  }
  const bytes = entries.reduce((sum, { MessageBody: body }) => sum + Buffer.byteLength(String(body ?? '')), 0);
  if (bytes > MESSAGE_MAX_BYTES) {
    const message = `Batch requests cannot be longer than ${MESSAGE_MAX_BYTES} bytes. You have sent ${bytes} bytes.`;
    throw new ServiceError('BatchRequestTooLong', message);
  }
  return entries;
}

function invalidValue(name: string, value: JsonValue, reason: string): ServiceError {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  const message = `Value ${shown.slice(0, 100)} for parameter ${name} is invalid. Reason: ${reason}.`;
  return new ServiceError('InvalidParameterValue', message);
}
