import { type JsonObject, readObject } from '../../json.ts';
import { asJson, isSameJson } from '../../json-difference.ts';
import type { KeyValue, Span, SpanStatus, SpanWithResource } from '../../otlp-messages.ts';
import { entityOfDocument } from '../to-otlp/entity-of-document.ts';
import { type EntityWithSegment, entityToPlainSpan } from '../to-otlp/entity-to-span.ts';
import { documentFingerprint } from './fingerprint.ts';
import { restoreEntities } from './restore-entities.ts';
import type { SpanRoundTripData } from './span-round-trip-data.ts';

/**
 * The span from which the document of `entity` was made. `translated` is what the document alone gives. An edit of the
 * document since then is applied to the span.
 */
export function restoreSpan(
  translated: SpanWithResource,
  data: SpanRoundTripData,
  entity: EntityWithSegment,
): SpanWithResource {
  const sent = spanAsSent(translated, data);
  const isUnedited = data.h === undefined || data.h === documentFingerprint(entity.fields);
  return isUnedited ? sent : applyEdits(sent, translated, entity);
}

function spanAsSent(translated: SpanWithResource, data: SpanRoundTripData): SpanWithResource {
  const { span } = translated;
  const { name, kind, flags, state, start, end, status, attrs = [], drop = [], events, links, dropped = [] } = data;
  const replaced = new Set([...drop, ...attrs.map(({ key = '' }) => key)]);
  const attributes = [...(span.attributes ?? []).filter(({ key = '' }) => !replaced.has(key)), ...attrs];
  const { schemaUrl: scopeSchemaUrl, ...scope } = data.scope ?? {};
  const { schemaUrl: resourceSchemaUrl, ...resource } = data.resource ?? {
    ...translated.resource,
    schemaUrl: undefined,
  };
  return {
    resource,
    resourceSchemaUrl,
    scope,
    scopeSchemaUrl,
    span: {
      ...span,
      name: (name ?? span.name) || undefined,
      kind: (kind ?? span.kind) || undefined,
      flags: (flags ?? span.flags) || undefined,
      traceState: state,
      startTimeUnixNano: nanosOrNone(start ?? span.startTimeUnixNano),
      endTimeUnixNano: nanosOrNone(end ?? span.endTimeUnixNano),
      status: isEmpty(status) ? undefined : (status ?? span.status),
      attributes: nonEmpty(attributes),
      events: nonEmpty(events ?? span.events ?? []),
      links: nonEmpty(links ?? span.links ?? []),
      droppedAttributesCount: dropped[0] || undefined,
      droppedEventsCount: dropped[1] || undefined,
      droppedLinksCount: dropped[2] || undefined,
    },
  };
}

/** Members of `sent` that differ between its own document and the edited one are replaced by those of `edited`. */
function applyEdits(
  sent: SpanWithResource,
  edited: SpanWithResource,
  { fields, segment }: EntityWithSegment,
): SpanWithResource {
  const indexed = new Set(Object.keys(readObject(fields.annotations) ?? {}));
  const entity = restoreEntities(sent, { indexed }).find(({ id }) => id === sent.span.spanId);
  if (entity === undefined) return sent;
  const unedited = asJson(entity.fields) as JsonObject;
  const ownSegment = entity.kind === 'segment' ? unedited : segment;
  const before = entityToPlainSpan({ ...entityOfDocument(unedited, ownSegment), isFromSpan: true });
  const span: { -readonly [Member in keyof Span]: Span[Member] } = { ...sent.span };
  for (const member of EDITABLE) {
    if (!isSameJson(before.span[member], edited.span[member])) Object.assign(span, { [member]: edited.span[member] });
  }
  span.attributes = nonEmpty(editedAttributes(sent.span.attributes, before.span.attributes, edited.span.attributes));
  return { ...sent, span };
}

const EDITABLE = ['name', 'startTimeUnixNano', 'endTimeUnixNano', 'status', 'events', 'links'] as const;

/** `all` with the attributes that were changed, added or removed between `before` and `now`. */
function editedAttributes(
  all: readonly KeyValue[] = [],
  before: readonly KeyValue[] = [],
  now: readonly KeyValue[] = [],
): readonly KeyValue[] {
  const valueIn = (list: readonly KeyValue[], wanted: string) => list.find(({ key = '' }) => key === wanted)?.value;
  const keys = new Set([...before, ...now].map(({ key = '' }) => key));
  const edited = new Set([...keys].filter((key) => !isSameJson(valueIn(before, key), valueIn(now, key))));
  return [...all.filter(({ key = '' }) => !edited.has(key)), ...now.filter(({ key = '' }) => edited.has(key))];
}

/** Round trip data holds a status without members for a span that has no status. */
const isEmpty = (status: SpanStatus | undefined) => status !== undefined && Object.keys(status).length === 0;
const nanosOrNone = (nanos: string | undefined) => (nanos === '0' ? undefined : nanos);
const nonEmpty = <T>(list: readonly T[]) => (list.length > 0 ? list : undefined);
