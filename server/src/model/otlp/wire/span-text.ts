import type { KeyValue, Span } from '../../otlp-messages.ts';

/** Texts of attributes that many spans share: most of the cost of printing a span is printing its attributes. */
const cachedTexts = new WeakMap<KeyValue, string>();

/** Call this for an attribute object that many spans share. */
export function cacheText(attribute: KeyValue): void {
  cachedTexts.set(attribute, JSON.stringify(attribute));
}

/** Equals `JSON.stringify(span)` except for the order of members. The ids must be valid. */
export function spanText(span: Span): string {
  const { traceId, spanId, parentSpanId, name, kind, startTimeUnixNano, endTimeUnixNano, flags, attributes } = span;
  let text = `{"traceId":"${traceId}","spanId":"${spanId}"`;
  if (parentSpanId !== undefined) text += `,"parentSpanId":"${parentSpanId}"`;
  if (name !== undefined) text += `,"name":${JSON.stringify(name)}`;
  if (kind !== undefined) text += `,"kind":${kind}`;
  if (startTimeUnixNano !== undefined) text += `,"startTimeUnixNano":"${startTimeUnixNano}"`;
  if (endTimeUnixNano !== undefined) text += `,"endTimeUnixNano":"${endTimeUnixNano}"`;
  if (flags !== undefined) text += `,"flags":${flags}`;
  if (attributes !== undefined) text += `,"attributes":[${attributeTexts(attributes)}]`;
  return `${text}${rareText(span)}}`;
}

function attributeTexts(attributes: readonly KeyValue[]): string {
  const all: string[] = [];
  for (const attribute of attributes) all.push(cachedTexts.get(attribute) ?? JSON.stringify(attribute));
  // Joined at once: a chain of concatenations would be slower to read.
  return all.join(',');
}

/** Members that most spans do not have. */
function rareText({
  traceState,
  droppedAttributesCount,
  events,
  droppedEventsCount,
  links,
  droppedLinksCount,
  status,
}: Span): string {
  let text = '';
  if (traceState !== undefined) text += `,"traceState":${JSON.stringify(traceState)}`;
  if (droppedAttributesCount !== undefined) text += `,"droppedAttributesCount":${droppedAttributesCount}`;
  if (events !== undefined) text += `,"events":${JSON.stringify(events)}`;
  if (droppedEventsCount !== undefined) text += `,"droppedEventsCount":${droppedEventsCount}`;
  if (links !== undefined) text += `,"links":${JSON.stringify(links)}`;
  if (droppedLinksCount !== undefined) text += `,"droppedLinksCount":${droppedLinksCount}`;
  if (status !== undefined) text += `,"status":${JSON.stringify(status)}`;
  return text;
}
