import type { Entity } from '../../entity.ts';
import { parseJson } from '../../exact-json.ts';
import { definedMembers, isJsonObject, type JsonObject, type JsonValue, readObject, readText } from '../../json.ts';
import { applyDifference, type Difference, withoutEdited } from '../../json-difference.ts';
import type { KeyValue, SpanWithResource } from '../../otlp-messages.ts';
import { readEntity } from '../../read-entity.ts';
import { readTimeUs } from '../../time.ts';
import { ROUND_TRIP_ATTRIBUTE, ROUND_TRIP_VERSION } from '../round-trip-keys.ts';
import { entityToPlainSpan } from '../to-otlp/entity-to-span.ts';
import type { IndexedKeys } from '../to-xray/annotations.ts';
import { xrayResourceOf } from '../to-xray/resource.ts';
import { spanToEntities, type TranslationContext } from '../to-xray/span-to-entities.ts';
import { spanFingerprint } from './fingerprint.ts';

type SpanAndResource = Pick<SpanWithResource, 'resource' | 'span'>;

/**
 * The X-Ray entities of a span, as `spanToEntities` translates it. From a span that was made from an X-Ray entity it
 * restores that entity: the attribute `openray.xray` holds what the span cannot express of it. An edit of the span on
 * its way, by a collector for example, wins over that attribute.
 */
export function restoreEntities(received: SpanAndResource, context: TranslationContext): readonly Entity[] {
  const { attributes } = received.span;
  const index = attributes?.findLastIndex(({ key }) => key === ROUND_TRIP_ATTRIBUTE) ?? -1;
  const difference = index < 0 ? undefined : readDifference(attributes?.[index]);
  if (difference === undefined) return spanToEntities(received, context);
  const plain = { ...received, span: { ...received.span, attributes: attributes?.toSpliced(index, 1) } };
  const translated = spanToEntities(plain, { ...context, indexed: NO_KEYS });
  const [entity] = translated;
  // A call and the segment around it: an X-Ray entity never becomes the span of both.
  if (entity === undefined || translated.length > 1) return spanToEntities(plain, context);
  const restored = readEntity(restoreFields(entity, difference, plain, context), entity);
  return [entity.callee === undefined ? restored : { ...restored, callee: entity.callee }];
}

const NO_KEYS: IndexedKeys = new Set();

/** What the span could not express of the entity, and the fingerprint of the span that was sent. */
type RoundTripDifference = Difference & { readonly fingerprint: string | undefined };

/** Undefined for a text that openray has not written: then the attribute is one like any other. */
function readDifference(attribute: KeyValue | undefined): RoundTripDifference | undefined {
  const stored = attribute?.value?.stringValue;
  if (stored === undefined || stored === '') return undefined;
  let parsed: JsonValue;
  try {
    parsed = parseJson(stored);
  } catch {
    return undefined;
  }
  const { v, set, unset, h } = readObject(parsed) ?? {};
  if (v !== ROUND_TRIP_VERSION || !isJsonObject(set) || !isListOfPaths(unset)) return undefined;
  return { set, unset, fingerprint: readText(h) };
}

function isListOfPaths(value: JsonValue | undefined): value is readonly (readonly string[])[] {
  return (
    Array.isArray(value) &&
    value.every((path) => Array.isArray(path) && path.every((member) => typeof member === 'string'))
  );
}

function restoreFields(
  translated: Entity,
  difference: RoundTripDifference,
  received: SpanAndResource,
  context: TranslationContext,
): JsonObject {
  const { fingerprint } = difference;
  const restored = applyDifference(translated.fields, difference);
  if (fingerprint === undefined || fingerprint === spanFingerprint(received.resource, received.span)) return restored;
  const sent = spanBeforeEdits(translated, restored, received);
  const [before] = spanToEntities(sent, { indexed: NO_KEYS });
  const [edited = translated] = spanToEntities(received, {
    ...context,
    indexed: addedKeys(context.indexed, sent, received),
  });
  return applyDifference(edited.fields, withoutEdited(difference, before?.fields ?? {}, edited.fields));
}

/** The indexed keys that the span did not have when it was sent: an X-Ray entity names its annotations itself. */
function addedKeys(indexed: IndexedKeys, sent: SpanAndResource, received: SpanAndResource): IndexedKeys {
  const known = new Set(keysOf(sent));
  const added = keysOf(received).filter((key) => !known.has(key));
  return new Set(indexed.has('*') ? added : added.filter((key) => indexed.has(key)));
}

function keysOf({ span, resource }: SpanAndResource): readonly string[] {
  return [
    ...(span.attributes ?? []).map(({ key = '' }) => key),
    ...(resource.attributes ?? []).map(({ key = '' }) => `otel.resource.${key}`),
  ];
}

/** The span that openray sent, provided that the entity had the fields `restored`. */
function spanBeforeEdits(translated: Entity, restored: JsonObject, { resource }: SpanAndResource): SpanWithResource {
  const { traceId, id, parentId, kind } = translated;
  const { aws, service } = xrayResourceOf(resource);
  return entityToPlainSpan({
    traceId,
    id,
    parentId,
    kind,
    startUs: readTimeUs(restored.start_time) ?? 0,
    endUs: readTimeUs(restored.end_time),
    fields: restored,
    segment: kind === 'segment' ? restored : (definedMembers({ aws, service }) ?? {}),
    isFromSpan: false,
  });
}
