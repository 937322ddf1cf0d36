import { areEqual } from '../model/bytes.ts';
import {
  ARRAY,
  ESCAPED_TEXT,
  type JsonTokens,
  NULL,
  NUMBER,
  numberAt,
  OBJECT,
  OTHER_NUMBER,
  TEXT,
  TRUE,
  textAt,
} from '../model/json-tokens.ts';
import { MAX_ATTRIBUTES, MAX_COMPARED, MAX_DEPTH, MAX_TEXT_LENGTH } from '../store/attributes.ts';
import { type RowBuffer, writePrefixedRange } from '../store/row-binary.ts';
import { writeAttributeText } from '../store/write/rows.ts';
import { memberName, type Name, type Path } from './segment-names.ts';

/*
 * The indexed strings of a document (see store/attributes.ts), from its tokens to bytes: those of store/write/
 * attribute-strings.ts, in the same order. A document that they would index in part is left to the way over objects.
 */

const MAX_VALUES = 8_192;

/** The values of a document: those of one path are linked in their order, the last one to 0. */
const found = {
  document: 0,
  paths: [] as Path[],
  pathCount: 0,
  tokens: new Int32Array(MAX_VALUES + 1),
  next: new Int32Array(MAX_VALUES + 1),
  count: 0,
  /** The count at which the limit of the current entity is reached. */
  maxCount: 0,
};
/** Number of the last object of which members were read. */
let objects = 0;

/** By `FIELD`: tokens of the values of an entity, 0 for none. */
export type Fields = Int32Array;

export function beginDocument(): void {
  found.document++;
  found.pathCount = 0;
  found.count = 0;
}

export function beginEntity(): void {
  found.maxCount = Math.min(found.count + MAX_ATTRIBUTES, MAX_VALUES);
}

export const newObjectNumber = (): number => ++objects;

export const collectedCount = (): number => found.count;

/**
 * Collects a value and all values in it, depth first. Sets the tokens of `FIELD`s on the way. False for a rare value.
 */
export function collect(tokens: JsonTokens, name: Name, value: number, depth: number, fields: Fields): boolean {
  if (found.count >= found.maxCount || depth === MAX_DEPTH) return false;
  switch (tokens.kinds[value]) {
    case OBJECT:
      return collectMembers(tokens, name, value, depth, fields);
    case ARRAY: {
      if (name.hasFields) return false;
      const end = tokens.nexts[value] as number;
      for (let item = value + 1; item < end; item = tokens.nexts[item] as number) {
        if (!collect(tokens, name, item, depth + 1, fields)) return false;
      }
      return true;
    }
    case NULL:
      return true;
    default:
      add(tokens, name.path, value);
      return true;
  }
}

function collectMembers(tokens: JsonTokens, parent: Name, object: number, depth: number, fields: Fields): boolean {
  const { bytes, starts, ends, nexts } = tokens;
  const end = nexts[object] as number;
  const number = ++objects;
  let name: Name | undefined;
  for (let member = object + 1; member < end; member = nexts[member + 1] as number) {
    name = memberName(parent, name, bytes, starts[member] as number, ends[member] as number);
    if (name.isRare || name.seenIn === number) return false;
    name.seenIn = number;
    fields[name.field] = member + 1;
    if (name.isSkipped || isInColumn(tokens, name.path, member + 1)) continue;
    if (!collect(tokens, name, member + 1, depth + 1, fields)) return false;
  }
  return true;
}

/** Whether a column of its own has the value. */
export function isInColumn({ kinds }: JsonTokens, { isTextColumn, isNumberColumn }: Path, value: number): boolean {
  const kind = kinds[value];
  if (isTextColumn) return kind === TEXT || kind === ESCAPED_TEXT;
  return isNumberColumn && (kind === NUMBER || kind === OTHER_NUMBER);
}

function add(tokens: JsonTokens, path: Path, value: number): void {
  const { next } = found;
  const entry = found.count + 1;
  if (path.foundIn !== found.document) {
    path.foundIn = found.document;
    path.first = entry;
    path.valueCount = 0;
    found.paths[found.pathCount++] = path;
  } else {
    if (path.valueCount <= MAX_COMPARED && hasValue(tokens, path, value)) return;
    next[path.last] = entry;
  }
  path.last = entry;
  path.valueCount++;
  found.tokens[entry] = value;
  next[entry] = 0;
  found.count = entry;
}

function hasValue(tokens: JsonTokens, { first }: Path, value: number): boolean {
  for (let entry = first; entry !== 0; entry = found.next[entry] as number) {
    if (isSameValue(tokens, found.tokens[entry] as number, value)) return true;
  }
  return false;
}

/** Of two scalars. */
function isSameValue(tokens: JsonTokens, a: number, b: number): boolean {
  const { bytes, kinds, starts, ends } = tokens;
  if (!isPlain(tokens, a) || !isPlain(tokens, b)) return valueAt(tokens, a) === valueAt(tokens, b);
  if (kinds[a] !== kinds[b]) return false;
  const from = starts[a] as number;
  const other = starts[b] as number;
  const length = (ends[a] as number) - from;
  return (ends[b] as number) - other === length && areEqual(bytes, from, bytes, other, length);
}

/** Whether the bytes of a scalar are its text. */
const isPlain = ({ kinds }: JsonTokens, token: number): boolean =>
  kinds[token] !== ESCAPED_TEXT && kinds[token] !== OTHER_NUMBER;

function valueAt(tokens: JsonTokens, token: number): unknown {
  switch (tokens.kinds[token]) {
    case TEXT:
    case ESCAPED_TEXT:
      return textAt(tokens, token);
    case NUMBER:
    case OTHER_NUMBER:
      return numberAt(tokens, token);
    default:
      return tokens.kinds[token] === TRUE;
  }
}

/** Writes the collected strings without their count: those of one path together, paths in the order of their first. */
export function writeCollected(target: RowBuffer, tokens: JsonTokens): void {
  for (let at = 0; at < found.pathCount; at++) {
    const path = found.paths[at] as Path;
    for (let entry = path.first; entry !== 0; entry = found.next[entry] as number) {
      writeValue(target, tokens, path, found.tokens[entry] as number);
    }
  }
}

function writeValue(target: RowBuffer, tokens: JsonTokens, { text, prefix }: Path, value: number): void {
  if (!isPlain(tokens, value)) {
    writeAttributeText(target, text, String(valueAt(tokens, value)));
    return;
  }
  const start = tokens.starts[value] as number;
  const end = Math.min(tokens.ends[value] as number, start + MAX_TEXT_LENGTH - prefix.length);
  writePrefixedRange(target, prefix, tokens.bytes, start, end);
}
