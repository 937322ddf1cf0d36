import type { JsonValue } from '../json.ts';
import { anyValueOf } from '../otlp/any-value.ts';
import type { KeyValue, Span, SpanWithResource } from '../otlp-messages.ts';

export const A_SPAN_TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
export const A_SPAN_ID = '00f067aa0ba902b7';
export const A_PARENT_ID = 'b7ad6b7169203331';

/** Attributes from plain JSON: whole numbers become integers. */
export function attributes(members: Readonly<Record<string, JsonValue>>): readonly KeyValue[] {
  return Object.entries(members).map(([key, value]) => ({ key, value: anyValueOf(value) }));
}

/** A finished span of half a second of the service `api`. `members` replace and add members. */
export function aSpan(
  {
    attributes: own,
    ...members
  }: Omit<Partial<Span>, 'attributes'> & {
    readonly attributes?: Readonly<Record<string, JsonValue>> | readonly KeyValue[];
  } = {},
  resource: Readonly<Record<string, JsonValue>> = { 'service.name': 'api' },
): SpanWithResource {
  const list = Array.isArray(own) ? (own as readonly KeyValue[]) : attributes((own ?? {}) as Record<string, JsonValue>);
  return {
    resource: { attributes: attributes(resource) },
    resourceSchemaUrl: undefined,
    scope: { name: 'test' },
    scopeSchemaUrl: undefined,
    span: {
      traceId: A_SPAN_TRACE_ID,
      spanId: A_SPAN_ID,
      name: 'work',
      startTimeUnixNano: '1716560000000000000',
      endTimeUnixNano: '1716560000500000000',
      ...(list.length > 0 && { attributes: list }),
      ...members,
    },
  };
}
