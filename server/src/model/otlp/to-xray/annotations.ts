import type { AnnotationValue } from '../../entity.ts';
import { parseJson } from '../../exact-json.ts';
import { isNumber } from '../../exact-number.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { isJsonObject } from '../../json.ts';
import type { AnyValue } from '../../otlp-messages.ts';
import { plainOf } from '../any-value.ts';
import { type Attributes, textList } from './attributes.ts';

/** Keys that become annotations in addition to those that a span names itself; `*` for all. */
export type IndexedKeys = ReadonlySet<string>;

const ANNOTATION_KEYS = 'aws.xray.annotations';
const METADATA_PREFIX = 'aws.xray.metadata.';

export type AnnotationsAndMetadata = {
  readonly annotations: Readonly<Record<string, AnnotationValue>> | undefined;
  readonly metadata: JsonObject | undefined;
};

/**
 * Annotations and metadata of a span: every attribute that no other member of the entity holds, and `resource`.
 * Only texts, numbers and booleans can be annotations. All other values become metadata, so no value is lost.
 */
export function annotationsAndMetadataOf(
  attributes: Attributes,
  resource: JsonObject,
  indexed: IndexedKeys,
): AnnotationsAndMetadata {
  const annotations = annotationsOf(attributes, resource, indexed);
  const own: Mutable = {};
  let namespaces = NO_NAMESPACES;
  const isUsed = membershipTest(attributes.consumed);
  for (const [key, value] of attributes.values) {
    if (isUsed(key) || annotations.usedKeys.has(key)) continue;
    if (key.startsWith(METADATA_PREFIX)) {
      if (namespaces === NO_NAMESPACES) namespaces = new Map();
      if (addNamespace(namespaces, key.slice(METADATA_PREFIX.length), value)) continue;
    }
    addMember(own, key, plainOf(value));
  }
  for (const key in resource) if (!annotations.usedKeys.has(key)) own[key] = resource[key] as JsonValue;
  return {
    annotations: annotations.values.size > 0 ? Object.fromEntries(annotations.values) : undefined,
    metadata: metadataOf(own, namespaces),
  };
}

/** A list is faster than a set for few keys. A sender may have sent very many. */
function membershipTest(keys: readonly string[]): (key: string) => boolean {
  if (keys.length <= 16) return (key) => keys.includes(key);
  const known = new Set(keys);
  return (key) => known.has(key);
}

const NO_NAMESPACES: Map<string, JsonObject> = new Map();

type Mutable = { [key: string]: JsonValue };

/** Assignment would not create a member `__proto__`, and a sender may choose any key. */
function addMember(members: Mutable, key: string, value: JsonValue): void {
  if (key !== '__proto__') members[key] = value;
  else Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
}

function metadataOf(own: Mutable, namespaces: Map<string, JsonObject>): JsonObject | undefined {
  const isEmpty = isEmptyObject(own);
  if (namespaces.size === 0) return isEmpty ? undefined : { default: own };
  if (!isEmpty) namespaces.set('default', { ...namespaces.get('default'), ...own });
  return Object.fromEntries(namespaces);
}

function isEmptyObject(members: JsonObject): boolean {
  for (const _key in members) return false;
  return true;
}

type ChosenAnnotations = {
  readonly values: ReadonlyMap<string, AnnotationValue>;
  readonly usedKeys: ReadonlySet<string>;
};

const NONE_CHOSEN: ChosenAnnotations = { values: new Map(), usedKeys: new Set() };

/**
 * X-Ray may spell several keys alike. Then the key that needs no change wins, else the first by code points.
 */
function annotationsOf(attributes: Attributes, resource: JsonObject, indexed: IndexedKeys): ChosenAnnotations {
  const isListing = attributes.families.aws && attributes.values.has(ANNOTATION_KEYS);
  if (isListing) attributes.consumed.push(ANNOTATION_KEYS);
  if (!isListing && indexed.size === 0) return NONE_CHOSEN;
  const listed = new Set(isListing ? textList(attributes, ANNOTATION_KEYS) : []);
  const isIndexed = (key: string) => indexed.has('*') || indexed.has(key) || listed.has(key);
  const candidates: (readonly [string, JsonValue])[] = [];
  for (const [key, value] of attributes.values) {
    if (isIndexed(key) && key !== ANNOTATION_KEYS && isScalar(value)) candidates.push([key, plainOf(value)]);
  }
  for (const key in resource) if (isIndexed(key)) candidates.push([key, resource[key] as JsonValue]);
  const chosen = new Map<string, readonly [key: string, value: AnnotationValue]>();
  for (const [key, value] of candidates.sort(byKey)) {
    const clean = key.replace(/[^\w.]/g, '_');
    if (isAnnotation(value) && (clean === key || !chosen.has(clean))) chosen.set(clean, [key, value]);
  }
  return {
    values: new Map(Array.from(chosen, ([clean, [, value]]) => [clean, value])),
    usedKeys: new Set(Array.from(chosen.values(), ([key]) => key)),
  };
}

const byKey = ([a]: readonly [string, JsonValue], [b]: readonly [string, JsonValue]) => (a < b ? -1 : 1);

function isScalar(value: AnyValue): boolean {
  const { stringValue, boolValue, intValue, doubleValue } = value;
  if (doubleValue !== undefined) return typeof doubleValue === 'number' || doubleValue === '-0';
  return stringValue !== undefined || boolValue !== undefined || intValue !== undefined;
}

function isAnnotation(value: JsonValue): value is AnnotationValue {
  return typeof value === 'string' || typeof value === 'boolean' || isNumber(value);
}

/** Adds a namespace of metadata that a translator wrote as one JSON text. False if the text is not such an object. */
function addNamespace(namespaces: Map<string, JsonObject>, name: string, { stringValue }: AnyValue): boolean {
  if (name === '' || stringValue === undefined || !stringValue.startsWith('{')) return false;
  let members: JsonValue;
  try {
    members = parseJson(stringValue);
  } catch {
    return false;
  }
  if (!isJsonObject(members)) return false;
  const namespace = name.toLowerCase() === 'default' ? 'default' : name;
  namespaces.set(namespace, { ...namespaces.get(namespace), ...members });
  return true;
}
