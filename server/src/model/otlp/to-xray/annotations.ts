import type { AnnotationValue } from '../../entity.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { isJsonObject } from '../../json.ts';
import type { AnyValue } from '../types.ts';
import { type Attributes, plainOf, textList } from './attributes.ts';

/** Keys that become annotations beside those that a span names itself; `*` for all. */
export type IndexedKeys = ReadonlySet<string>;

const ANNOTATION_KEYS = 'aws.xray.annotations';
const METADATA_PREFIX = 'aws.xray.metadata.';

export type AnnotationsAndMetadata = {
  readonly annotations: Readonly<Record<string, AnnotationValue>> | undefined;
  readonly metadata: JsonObject | undefined;
};

/**
 * Annotations and metadata of a span: every attribute that no other member of the view has taken over, and `resource`.
 * Only texts, numbers and booleans can be annotations; whatever is not one stays metadata, so that nothing is lost.
 */
export function annotationsAndMetadataOf(
  attributes: Attributes,
  resource: JsonObject,
  indexed: IndexedKeys,
): AnnotationsAndMetadata {
  const annotations = annotationsOf(attributes, resource, indexed);
  const own: Mutable = {};
  let spaces = NO_NAMESPACES;
  const isUsed = membershipTest(attributes.consumed);
  for (const [key, value] of attributes.values) {
    if (isUsed(key) || annotations.usedKeys.has(key)) continue;
    if (key.startsWith(METADATA_PREFIX)) {
      if (spaces === NO_NAMESPACES) spaces = new Map();
      if (addNamespace(spaces, key.slice(METADATA_PREFIX.length), value)) continue;
    }
    setMember(own, key, plainOf(value));
  }
  for (const key in resource) if (!annotations.usedKeys.has(key)) own[key] = resource[key] as JsonValue;
  return {
    annotations: annotations.values.size > 0 ? Object.fromEntries(annotations.values) : undefined,
    metadata: metadataOf(own, spaces),
  };
}

/** Few keys are found faster in the list; a sender may have sent very many. */
function membershipTest(keys: readonly string[]): (key: string) => boolean {
  if (keys.length <= 16) return (key) => keys.includes(key);
  const set = new Set(keys);
  return (key) => set.has(key);
}

const NO_NAMESPACES: Map<string, JsonObject> = new Map();

type Mutable = { [key: string]: JsonValue };

/** A sender may choose any key; this one would not become a member. */
function setMember(members: Mutable, key: string, value: JsonValue): void {
  if (key !== '__proto__') members[key] = value;
  else Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
}

function metadataOf(own: Mutable, spaces: Map<string, JsonObject>): JsonObject | undefined {
  const isEmpty = isEmptyObject(own);
  if (spaces.size === 0) return isEmpty ? undefined : { default: own };
  if (!isEmpty) spaces.set('default', { ...spaces.get('default'), ...own });
  return Object.fromEntries(spaces);
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

/** Of keys that X-Ray would spell alike the one that needs no change wins, else the first in the order of code points. */
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
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** A namespace of metadata as translators write it: its members as JSON, in one text. */
function addNamespace(spaces: Map<string, JsonObject>, name: string, { stringValue }: AnyValue): boolean {
  if (name === '' || stringValue === undefined || !stringValue.startsWith('{')) return false;
  let members: JsonValue;
  try {
    members = JSON.parse(stringValue);
  } catch {
    return false;
  }
  if (!isJsonObject(members)) return false;
  const space = name.toLowerCase() === 'default' ? 'default' : name;
  spaces.set(space, { ...spaces.get(space), ...members });
  return true;
}
