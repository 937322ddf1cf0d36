import type { JsonObject, JsonValue } from '../../json.ts';
import { readObject } from '../../json.ts';
import { differenceOf, isSame } from '../../json-difference.ts';
import { readTimeUs } from '../../time.ts';
import { formatTraceId, readEntityId } from '../../trace-id.ts';
import { ROUND_TRIP_ATTRIBUTE, ROUND_TRIP_NAMESPACE } from '../any-value.ts';
import { documentFingerprint, spanFingerprint } from '../fingerprint.ts';
import { type EntityWithSegment, entityToPlainSpan } from '../to-otlp/entity-to-span.ts';
import { spanToEntities, type TranslationContext } from '../to-xray/span-to-entities.ts';
import type { KeyValue, Resource, Scope, Span, SpanEvent, SpanLink, SpanStatus, SpanWithResource } from '../types.ts';

/** The version of the mapping and of the form of what it leaves over. One that is not known is ignored. */
const VERSION = 1;

/**
 * What a document can not say of the span that it was made of, in its metadata: members as OTLP/JSON has them. Without it
 * the document means what any translator would make of it.
 */
type SpanRoundTripData = {
  readonly v: number;
  /** What the rest of the document was like: when it has been edited since, what all can see counts. */
  readonly h?: string | undefined;
  /** No span belongs to this document. */
  readonly synthetic?: true | undefined;
  readonly name?: string | undefined;
  readonly kind?: number | undefined;
  readonly flags?: number | undefined;
  readonly state?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly status?: SpanStatus | undefined;
  /** Attributes to set in place of all of their key, and keys that the way back adds by mistake. */
  readonly attrs?: readonly KeyValue[] | undefined;
  readonly drop?: readonly string[] | undefined;
  readonly events?: readonly SpanEvent[] | undefined;
  readonly links?: readonly SpanLink[] | undefined;
  /** Dropped attributes, events and links. */
  readonly dropped?: readonly number[] | undefined;
  readonly scope?: (Scope & { readonly schemaUrl?: string | undefined }) | undefined;
  readonly resource?: (Resource & { readonly schemaUrl?: string | undefined }) | undefined;
};

/**
 * The one or two documents of a span (see `entitiesOfSpan`), with all that the way back needs to give the very same
 * span. Print them with `documentTextOf`.
 */
export function spanToDocuments(place: SpanWithResource, around: TranslationContext): readonly JsonObject[] {
  const entities = spanToEntities(place, around);
  // As a reader gets them: some numbers change when they are written.
  const documents = entities.map(({ fields }) => JSON.parse(JSON.stringify(fields)) as JsonObject);
  const segment = documents[0] as JsonObject;
  return documents.map((fields, index) => {
    const entity = entities[index];
    if (entity === undefined || entity.id !== place.span.spanId)
      return withRoundTripData(fields, { v: VERSION, synthetic: true });
    const guess = entityToPlainSpan({ ...entity, fields, segment, isFromSpan: true });
    return withRoundTripData(fields, { ...roundTripDataOf(place, guess), h: documentFingerprint(fields) });
  });
}

function withRoundTripData(fields: JsonObject, residual: SpanRoundTripData): JsonObject {
  const plain = JSON.parse(JSON.stringify(residual)) as JsonObject;
  return { ...fields, metadata: { ...readObject(fields.metadata), [ROUND_TRIP_NAMESPACE]: plain } };
}

function roundTripDataOf(place: SpanWithResource, guess: SpanWithResource): SpanRoundTripData {
  const { span } = place;
  const resource = { ...place.resource, schemaUrl: place.resourceSchemaUrl };
  const scope = { ...place.scope, schemaUrl: place.scopeSchemaUrl };
  const dropped = [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount].map((n) => n ?? 0);
  const changed = <T>(wanted: T, guessed: T, empty: NonNullable<T>): NonNullable<T> | undefined =>
    isSameJson(wanted, guessed) ? undefined : (wanted ?? empty);
  return {
    v: VERSION,
    name: changed(span.name, guess.span.name, ''),
    kind: changed(span.kind, guess.span.kind, 0),
    flags: changed(span.flags, guess.span.flags, 0),
    state: span.traceState,
    start: changed(span.startTimeUnixNano, guess.span.startTimeUnixNano, '0'),
    end: changed(span.endTimeUnixNano, guess.span.endTimeUnixNano, '0'),
    status: changed(span.status, guess.span.status, {}),
    ...attributeChanges(span.attributes ?? [], guess.span.attributes ?? []),
    events: changed(span.events, guess.span.events, []),
    links: changed(span.links, guess.span.links, []),
    dropped: dropped.some((count) => count > 0) ? dropped : undefined,
    scope: changed<Scope>(scope, {}, {}),
    resource: changed<Resource>(resource, guess.resource, {}),
  };
}

function attributeChanges(
  wanted: readonly KeyValue[],
  guessed: readonly KeyValue[],
): Pick<SpanRoundTripData, 'attrs' | 'drop'> | undefined {
  const guesses = new Map(guessed.map(({ key = '', value }) => [key, value]));
  const counts = new Map<string, number>();
  for (const { key = '' } of wanted) counts.set(key, (counts.get(key) ?? 0) + 1);
  const attrs = wanted.filter(
    ({ key = '', value }) => counts.get(key) !== 1 || !guesses.has(key) || !isSameJson(guesses.get(key), value),
  );
  const drop = [...guesses.keys()].filter((key) => !counts.has(key));
  return { ...(attrs.length > 0 && { attrs }), ...(drop.length > 0 && { drop }) };
}

/** As JSON, where what is undefined is not there. */
function isSameJson(a: unknown, b: unknown): boolean {
  return isSame(asJson(a), asJson(b));
}

function asJson(value: unknown): JsonValue | undefined {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/**
 * X-Ray entities of one trace as spans, in their order. One that was made of a span gives that very span; of any other
 * the attribute `openray.xray` keeps what a span has no place for.
 */
export function entitiesToSpans(entities: readonly EntityWithSegment[]): readonly SpanWithResource[] {
  const standIns = new Map<string, EntityWithSegment>();
  for (const entity of entities) if (roundTripDataIn(entity.fields)?.synthetic) standIns.set(entity.id, entity);
  return entities.flatMap((entity) => {
    const residual = roundTripDataIn(entity.fields);
    if (residual === undefined) return [spanWithRoundTripData(entity)];
    if (residual.synthetic) return [];
    const above = standIns.get(entity.parentId ?? '');
    const guess = entityToPlainSpan({
      ...entity,
      parentId: above === undefined ? entity.parentId : above.parentId,
      isFromSpan: true,
    });
    const span = restoreSpan(guess, residual);
    const isAsSent = residual.h === undefined || residual.h === documentFingerprint(entity.fields);
    return [isAsSent ? span : applyEdits(span, guess, entity)];
  });
}

function roundTripDataIn(fields: JsonObject): SpanRoundTripData | undefined {
  const residual = readObject(readObject(fields.metadata)?.[ROUND_TRIP_NAMESPACE]);
  return residual?.v === VERSION ? (residual as unknown as SpanRoundTripData) : undefined;
}

function restoreSpan(guess: SpanWithResource, residual: SpanRoundTripData): SpanWithResource {
  const { span } = guess;
  const { name, kind, flags, state, start, end, status, attrs = [], drop = [], events, links, dropped = [] } = residual;
  const replaced = new Set([...drop, ...attrs.map(({ key = '' }) => key)]);
  const attributes = [...(span.attributes ?? []).filter(({ key = '' }) => !replaced.has(key)), ...attrs];
  const { schemaUrl: scopeSchemaUrl, ...scope } = residual.scope ?? {};
  const { schemaUrl: resourceSchemaUrl, ...resource } = residual.resource ?? {
    ...guess.resource,
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

/** The span with what was edited in the document: whatever the document says otherwise than it did of that very span. */
function applyEdits(
  place: SpanWithResource,
  now: SpanWithResource,
  { fields, segment }: EntityWithSegment,
): SpanWithResource {
  const indexed = new Set(Object.keys(readObject(fields.annotations) ?? {}));
  const sent = spanToEntities(place, { indexed }).find(({ id }) => id === place.span.spanId);
  if (sent === undefined) return place;
  const own = asJson(sent.fields) as JsonObject;
  const around = sent.kind === 'segment' ? own : segment;
  const before = entityToPlainSpan({ ...entityOfDocument(own, around), isFromSpan: true });
  const span: { -readonly [Member in keyof Span]: Span[Member] } = { ...place.span };
  for (const member of EDITABLE) {
    if (!isSameJson(before.span[member], now.span[member])) Object.assign(span, { [member]: now.span[member] });
  }
  span.attributes = nonEmpty(editedAttributes(place.span.attributes, before.span.attributes, now.span.attributes));
  return { ...place, span };
}

const EDITABLE = ['name', 'startTimeUnixNano', 'endTimeUnixNano', 'status', 'events', 'links'] as const;

/** By key: those that are now otherwise than before are as they are now, or gone. */
function editedAttributes(
  all: readonly KeyValue[] = [],
  before: readonly KeyValue[] = [],
  now: readonly KeyValue[] = [],
): readonly KeyValue[] {
  const told = (list: readonly KeyValue[], wanted: string) => list.find(({ key = '' }) => key === wanted)?.value;
  const keys = new Set([...before, ...now].map(({ key = '' }) => key));
  const edited = new Set([...keys].filter((key) => !isSameJson(told(before, key), told(now, key))));
  return [...all.filter(({ key = '' }) => !edited.has(key)), ...now.filter(({ key = '' }) => edited.has(key))];
}

/** A status that says nothing is none. */
const isEmpty = (status: SpanStatus | undefined) => status !== undefined && Object.keys(status).length === 0;
const nanosOrNone = (nanos: string | undefined) => (nanos === '0' ? undefined : nanos);
const nonEmpty = <T>(list: readonly T[]) => (list.length > 0 ? list : undefined);

/** The span of an X-Ray entity, with what the view of that span would not say of the entity. */
function spanWithRoundTripData(entity: EntityWithSegment): SpanWithResource {
  const place = entityToPlainSpan(entity);
  const [view] = spanToEntities(place, { indexed: new Set() });
  const { set, unset } = differenceOf(view?.fields ?? {}, independentFields(entity));
  if (Object.keys(set).length === 0 && unset.length === 0) return place;
  const rest = JSON.stringify({ v: VERSION, set, unset, h: spanFingerprint(place.resource, place.span) });
  const attribute = { key: ROUND_TRIP_ATTRIBUTE, value: { stringValue: rest } };
  return { ...place, span: { ...place.span, attributes: [...(place.span.attributes ?? []), attribute] } };
}

/** The fields of a document of its own: an inline subsegment says less, since its place says the rest. */
function independentFields({ fields, kind, traceId, id, parentId }: EntityWithSegment): JsonObject {
  const { subsegments, ...own } = fields;
  if (kind === 'segment') return own;
  return { ...own, id, trace_id: formatTraceId(traceId), parent_id: parentId ?? '', type: 'subsegment' };
}

/** The fields of a document that stands alone, as `spansOfEntities` takes them. */
export function entityOfDocument(fields: JsonObject, segment: JsonObject = fields): EntityWithSegment {
  const traceId = String(fields.trace_id).replaceAll('-', '').slice(1).toLowerCase() as EntityWithSegment['traceId'];
  return {
    traceId,
    id: readEntityId(String(fields.id)) as EntityWithSegment['id'],
    parentId: typeof fields.parent_id === 'string' ? readEntityId(fields.parent_id) : undefined,
    kind: fields.type === 'subsegment' ? 'subsegment' : 'segment',
    startUs: readTimeUs(fields.start_time) ?? 0,
    endUs: readTimeUs(fields.end_time),
    fields,
    segment,
    isFromSpan: false,
  };
}
