import type { Entity } from '../../model/entity.ts';
import { canonicalText, ExactNumber } from '../../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import {
  type AttributeValue,
  attributeText,
  MAX_ATTRIBUTES,
  MAX_COMPARED,
  MAX_DEPTH,
  MAX_TEXT_LENGTH,
  NOT_INDEXED,
  STATUS_PATH,
  TEXT_COLUMNS,
} from '../attributes.ts';
import { type RowBuffer, writePair, writePrefixed, writeString } from '../row-binary.ts';

/*
 * The indexed strings of a document (see store/attributes.ts), from its parsed values to bytes. It runs for every
 * received document, so it allocates nothing for an attribute: paths are kept with their bytes, by parent and key, and
 * values are collected in lists that are used again.
 */

/** Where values are in documents. Senders repeat their keys in the same order, so `members` is rarely asked. */
type Path = {
  /** Such as `metadata.default.order`. */
  readonly text: string;
  /** `text` and `=` in UTF-8, from the second value on: of keys that occur once no bytes are kept. */
  prefix: Buffer | undefined;
  isWritten: boolean;
  members: Map<string, Path> | undefined;
  /** The last key at each position among the members, and its path. */
  keys: string[];
  paths: Path[];
  /** Of a field of the entity, or of a member of a member of its `http`. */
  readonly isTextColumn: boolean;
  readonly isIndexed: boolean;
  readonly isOfExceptions: boolean;
  /** Number of the last document that had the path, and the entries of its first and its last value. */
  foundIn: number;
  first: number;
  last: number;
  valueCount: number;
};

/** The values of a document: those of one path are linked in their order, the last one to 0. */
const found = {
  document: 0,
  paths: [] as Path[],
  pathCount: 0,
  values: [] as AttributeValue[],
  next: [] as number[],
  count: 0,
  /** The count at which the limit of the current entity is reached. */
  maxCount: 0,
  hasMore: false,
  /** Paths that are not kept. */
  others: new Map<string, Path>(),
};

/** `count` is that of `writeCollected`. */
export type CollectedAttributes = {
  readonly count: number;
  /** Some attributes are left out. */
  readonly hasMore: boolean;
};

/**
 * Collects the attributes of all entities of a document, for `writeCollected`. They are stored in the row of its top
 * entity, so that shared values are stored and searched once. The annotations of each entity are first, since searches
 * use them most and the count is limited. Stack frames are left out.
 */
export function collectAttributes(entities: readonly Entity[]): CollectedAttributes {
  begin();
  for (const { annotations, metadata, fields } of entities) {
    found.maxCount = found.count + MAX_ATTRIBUTES;
    let position = 0;
    for (const key in annotations) collect(memberOf(roots.annotation, key, position++), annotations[key], 0);
    collect(roots.metadata, metadata, 0);
    position = 0;
    for (const key in fields) collectField(memberOf(roots.segment, key, position++), key, fields[key]);
  }
  return found;
}

/** Writes the collected strings without their count: those of one path together, paths in the order of their first. */
export function writeCollected(target: RowBuffer): void {
  for (let at = 0; at < found.pathCount; at++) {
    const path = found.paths[at] as Path;
    for (let entry = path.first; entry !== 0; entry = found.next[entry] as number) {
      writeValue(target, path, String(found.values[entry]));
    }
  }
}

/** Lists of values up to this length are kept. */
const MAX_KEPT = 4096;

function begin(): void {
  if (found.values.length > MAX_KEPT) {
    found.values.length = 0;
    found.next.length = 0;
    found.paths.length = 0;
  }
  if (keptPaths.size >= MAX_PATHS) {
    keptPaths.clear();
    roots = newRoots();
  }
  if (found.others.size > 0) found.others.clear();
  found.document++;
  found.pathCount = 0;
  found.count = 0;
  found.hasMore = false;
}

function collectField(path: Path, key: string, value: JsonValue | undefined): void {
  if (!path.isIndexed) return;
  if (key === 'http' && isJsonObject(value)) {
    let position = 0;
    for (const part in value) collectHttp(memberOf(path, part, position++), value[part]);
  } else if (!(path.isTextColumn && typeof value === 'string' && !key.includes('.'))) {
    collect(path, value, 0);
  }
}

function collectHttp(path: Path, value: JsonValue | undefined): void {
  if (!isJsonObject(value)) {
    collect(path, value, 1);
    return;
  }
  let position = 0;
  for (const key in value) {
    const member = memberOf(path, key, position++);
    if (!isInColumn(member, value[key])) collect(member, value[key], 2);
  }
}

function isInColumn(path: Path, value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return path.isTextColumn;
  return typeof value === 'number' && path.text === STATUS_TEXT;
}

const STATUS_TEXT = `segment.${STATUS_PATH}`;

/** Depth first, in document order. */
function collect(path: Path, value: JsonValue | undefined, depth: number): void {
  if (found.count >= found.maxCount || depth === MAX_DEPTH) {
    found.hasMore = true;
  } else if (typeof value !== 'object') {
    if (value !== undefined) add(path, value);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(path, item, depth + 1);
  } else if (value instanceof ExactNumber) {
    add(path, canonicalText(value));
  } else if (value !== null) {
    collectMembers(path, value as JsonObject, depth);
  }
}

function collectMembers(path: Path, value: JsonObject, depth: number): void {
  let position = 0;
  for (const key in value) {
    if (path.isOfExceptions && key === 'stack') continue;
    collect(memberOf(path, key, position++), value[key], depth + 1);
  }
}

function add(path: Path, value: AttributeValue): void {
  const { values, next } = found;
  const entry = found.count + 1;
  if (path.foundIn !== found.document) {
    path.foundIn = found.document;
    path.first = entry;
    path.valueCount = 0;
    found.paths[found.pathCount++] = path;
  } else {
    if (path.valueCount <= MAX_COMPARED && hasValue(path, value)) return;
    next[path.last] = entry;
  }
  path.last = entry;
  path.valueCount++;
  values[entry] = value;
  next[entry] = 0;
  found.count = entry;
}

function hasValue({ first }: Path, value: AttributeValue): boolean {
  for (let entry = first; entry !== 0; entry = found.next[entry] as number) {
    if (found.values[entry] === value) return true;
  }
  return false;
}

function writeValue(target: RowBuffer, path: Path, text: string): void {
  if (path.text.length + 1 + text.length > MAX_TEXT_LENGTH) {
    writeString(target, attributeText(path.text, text));
    return;
  }
  if (!path.isWritten) {
    path.isWritten = true;
    writePair(target, path.text, text);
    return;
  }
  path.prefix ??= Buffer.from(`${path.text}=`);
  writePrefixed(target, path.prefix, text);
}

/** By text. Cleared only between two documents: within one document a text has one path. */
const keptPaths = new Map<string, Path>();
const MAX_PATHS = 20_000;
const MAX_KEPT_TEXT = 100;
/** Positions with a key, of the members of a path. */
const MAX_POSITIONS = 64;

/** Most paths have no members. */
const NO_KEYS: string[] = [];
const NO_PATHS: Path[] = [];

const newRoots = () => ({ annotation: pathOf('annotation'), metadata: pathOf('metadata'), segment: pathOf('segment') });
let roots = newRoots();

function memberOf(parent: Path, key: string, position: number): Path {
  return parent.keys[position] === key ? (parent.paths[position] as Path) : findMember(parent, key, position);
}

function findMember(parent: Path, key: string, position: number): Path {
  const known = parent.members?.get(key);
  if (known === undefined) return addMember(parent, key);
  // Keys that occur once get no position.
  if (position < MAX_POSITIONS && position <= parent.keys.length) {
    if (parent.keys === NO_KEYS) [parent.keys, parent.paths] = [[], []];
    parent.keys[position] = key;
    parent.paths[position] = known;
  }
  return known;
}

function addMember(parent: Path, key: string): Path {
  const path = pathOf(`${parent.text}.${key}`);
  if (path.text.length > MAX_KEPT_TEXT) return path;
  parent.members ??= new Map();
  parent.members.set(key, path);
  return path;
}

function pathOf(text: string): Path {
  const kept = text.length > MAX_KEPT_TEXT ? found.others : keptPaths;
  const known = kept.get(text);
  if (known !== undefined) return known;
  const path = newPath(text);
  kept.set(text, path);
  return path;
}

function newPath(text: string): Path {
  const field = text.startsWith('segment.') ? text.slice('segment.'.length) : '';
  return {
    text,
    prefix: undefined,
    isWritten: false,
    members: undefined,
    keys: NO_KEYS,
    paths: NO_PATHS,
    isTextColumn: TEXT_COLUMNS.has(field),
    isIndexed: !NOT_INDEXED.has(field),
    isOfExceptions: text === 'segment.cause.exceptions',
    foundIn: 0,
    first: 0,
    last: 0,
    valueCount: 0,
  };
}
