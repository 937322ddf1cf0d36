import type { Document, Entity } from '../model/entity.ts';
import { ExactNumber } from '../model/exact-number.ts';
import { tagText } from '../model/jaeger.ts';
import { isJsonObject } from '../model/json.ts';
import { ROUND_TRIP_ATTRIBUTE, ROUND_TRIP_NAMESPACE } from '../model/otlp/round-trip-keys.ts';
import { type Span, STATUS } from '../model/otlp-messages.ts';
import { attributeText, MAX_ATTRIBUTES, TRUNCATED_MARKER } from './attributes.ts';
import { sql } from './sql.ts';
import type { Store } from './store.ts';

/*
 * Strings of `attributes` for data of a span that no X-Ray entity has: `span.name=NAME`, unless an entity of the span
 * has the name, and `event.KEY=VALUE` for its events. As the other strings of that column they are a prefilter and
 * never decide.
 */

/** Marks an entity whose span is not the translation of its row: each span and each tag may be in it. */
export const ANY_SPAN_MARKER = 'span…';

/** Marks a failed span whose entities have no flag for it. */
export const FAILED_SPAN_TEXT = 'span.error=true';

export const spanNameText = (name: string): string => attributeText('span.name', name);

/** `value` is the text of Jaeger's tag. The key `event` is the name of the event. */
export const eventText = (key: string, value: string): string => attributeText(`event.${key}`, value);

/** The strings for the row of the top entity; `entities` are all that have a row. */
export function spanTextsOf(document: Document, entities: readonly Entity[]): readonly string[] {
  switch (document.format) {
    case 'otlp':
      return textsOfSpan(document.span.span, entities);
    case 'xray':
      return textsOfEntities(entities);
    case 'otlp-log':
      return NONE;
  }
}

const NONE: readonly string[] = [];

const hasFlag = ({ isError, isFault, isThrottle }: Entity): boolean => isError || isFault || isThrottle;

function textsOfSpan(span: Span, entities: readonly Entity[]): readonly string[] {
  const { name = '', events, status, attributes } = span;
  const texts: string[] = [];
  if (!entities.some((entity) => entity.name === name)) texts.push(spanNameText(name));
  if (status?.code === STATUS.error && !entities.every(hasFlag)) texts.push(FAILED_SPAN_TEXT);
  if (attributes?.some(({ key }) => key === ROUND_TRIP_ATTRIBUTE)) texts.push(ANY_SPAN_MARKER);
  if (events === undefined) return texts;
  const ofEvents = new Set<string>();
  for (const event of events) {
    if (event.name !== undefined && event.name !== '') ofEvents.add(eventText('event', event.name));
    for (const attribute of event.attributes ?? []) ofEvents.add(eventText(attribute.key ?? '', tagText(attribute)));
    if (ofEvents.size <= MAX_ATTRIBUTES) continue;
    texts.push(TRUNCATED_MARKER);
    break;
  }
  return [...texts, ...ofEvents];
}

/** An exception or a status of 400 or more becomes a failed span, also without a flag. */
function textsOfEntities(entities: readonly Entity[]): readonly string[] {
  const texts: string[] = [];
  if (entities.some(isFailedWithoutFlag)) texts.push(FAILED_SPAN_TEXT);
  if (entities.some(isOtherSpan)) texts.push(ANY_SPAN_MARKER);
  return texts;
}

function isFailedWithoutFlag(entity: Entity): boolean {
  return !hasFlag(entity) && ((entity.cause?.exceptions.length ?? 0) > 0 || (entity.http?.status ?? 0) >= 400);
}

/** The entity was made from a span, or has a number that a span rounds. */
function isOtherSpan({ annotations, metadata }: Entity): boolean {
  if (isJsonObject(metadata) && metadata[ROUND_TRIP_NAMESPACE] !== undefined) return true;
  for (const key in annotations) if (annotations[key] instanceof ExactNumber) return true;
  return false;
}

/** The migration since which rows have these strings */
const SPAN_TEXTS_MIGRATION = '_span_texts.sql';
/** Migrations of one start are this close together. */
const ONE_START_US = 600_000_000;
/** Other servers of a shared store may write rows of an earlier version for so long. */
const UPGRADE_US = 86_400_000_000;

const lastWithout = new WeakMap<Store['query'], Promise<number>>();

/** Documents up to this `seq` may have rows without these strings; 0 in a store that has had them from its start. */
export function lastSeqWithoutSpanTexts(store: Store): Promise<number> {
  const known = lastWithout.get(store.query) ?? readLastSeqWithout(store);
  lastWithout.set(store.query, known);
  known.catch(() => lastWithout.delete(store.query));
  return known;
}

async function readLastSeqWithout(store: Store): Promise<number> {
  const [row] = await store.query<{ created: number; changed: number }>(sql`
    SELECT minIf(applied_us, number > 0) AS created, maxIf(applied_us, endsWith(name, ${SPAN_TEXTS_MIGRATION})) AS changed
    FROM migrations`);
  const { created = 0, changed = 0 } = row ?? {};
  return changed - created < ONE_START_US ? 0 : changed + UPGRADE_US;
}
