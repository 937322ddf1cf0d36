import type { Entity } from '../../model/entity.ts';
import { canonicalText, ExactNumber } from '../../model/exact-number.ts';
import { isJsonObject, type JsonValue } from '../../model/json.ts';
import {
  type AttributeValue,
  attributeText,
  MAX_ATTRIBUTES,
  MAX_COMPARED,
  MAX_DEPTH,
  NOT_INDEXED,
  STATUS_PATH,
  TEXT_COLUMNS,
  TRUNCATED_MARKER,
} from '../attributes.ts';
import { createRowBuffer, readString } from '../row-binary.ts';
import { collectAttributes, writeCollected } from '../write/attribute-strings.ts';

/** Value of `attributes` in the row of a document's top entity, without links and texts of its span. */
export function attributeTexts(entities: readonly Entity[]): readonly string[] {
  const { count, hasMore } = collectAttributes(entities);
  const row = createRowBuffer();
  writeCollected(row);
  const texts: string[] = [];
  for (let at = 0; at < row.length; ) {
    const { text, end } = readString(row.bytes, at);
    texts.push(text);
    at = end;
  }
  if (texts.length !== count) throw new Error(`${texts.length} strings, counted as ${count}`);
  return hasMore ? [...texts, TRUNCATED_MARKER] : texts;
}

/** The reference implementation: what `attributeTexts` must give. */
export function pureAttributeTexts(entities: readonly Entity[]): readonly string[] {
  const found: AttributeCollector = { values: new Map(), count: 0, maxCount: 0, hasMore: false };
  for (const { annotations, metadata, fields } of entities) {
    found.maxCount = found.count + MAX_ATTRIBUTES;
    for (const key in annotations) collect(found, `annotation.${key}`, annotations[key], 0);
    collect(found, 'metadata', metadata, 0);
    for (const key in fields) collectField(found, key, fields[key]);
  }
  const texts = [...found.values].flatMap(([path, ofPath]) => ofPath.map((value) => attributeText(path, value)));
  return found.hasMore ? [...texts, TRUNCATED_MARKER] : texts;
}

type AttributeCollector = {
  readonly values: Map<string, AttributeValue[]>;
  count: number;
  /** The count at which the limit of the current entity is reached. */
  maxCount: number;
  hasMore: boolean;
};

function collectField(found: AttributeCollector, key: string, value: JsonValue | undefined): void {
  if (NOT_INDEXED.has(key)) return;
  if (key === 'http' && isJsonObject(value)) {
    for (const part in value) collectHttp(found, `http.${part}`, value[part]);
  } else if (key.includes('.') || !isInColumn(key, value)) {
    collect(found, `segment.${key}`, value, 0);
  }
}

function collectHttp(found: AttributeCollector, path: string, value: JsonValue | undefined): void {
  if (!isJsonObject(value)) {
    collect(found, `segment.${path}`, value, 1);
    return;
  }
  for (const key in value) {
    const member = `${path}.${key}`;
    if (!isInColumn(member, value[key])) collect(found, `segment.${member}`, value[key], 2);
  }
}

function isInColumn(path: string, value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return TEXT_COLUMNS.has(path);
  return typeof value === 'number' && path === STATUS_PATH;
}

/** Depth first, in document order. */
function collect(found: AttributeCollector, path: string, value: JsonValue | undefined, depth: number): void {
  if (found.count >= found.maxCount || depth === MAX_DEPTH) {
    found.hasMore = true;
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) collect(found, path, item, depth + 1);
  } else if (isJsonObject(value)) {
    for (const key in value) {
      if (key !== 'stack' || path !== 'segment.cause.exceptions') {
        collect(found, `${path}.${key}`, value[key], depth + 1);
      }
    }
  } else if (value !== undefined && value !== null) {
    add(found, path, value instanceof ExactNumber ? canonicalText(value) : (value as AttributeValue));
  }
}

function add(found: AttributeCollector, path: string, value: AttributeValue): void {
  const known = found.values.get(path);
  if (known === undefined) found.values.set(path, [value]);
  else if (known.length > MAX_COMPARED || !known.includes(value)) known.push(value);
  else return;
  found.count++;
}
