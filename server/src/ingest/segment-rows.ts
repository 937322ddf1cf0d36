import { areEqual } from '../model/bytes.ts';
import { compactJson } from '../model/compact-json.ts';
import type { AnnotationValue, Cause, Entity, Http } from '../model/entity.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import {
  ARRAY,
  ESCAPED_TEXT,
  FALSE,
  MAX_SHARED_LENGTH,
  NULL,
  NUMBER,
  newJsonTokens,
  numberAt,
  OBJECT,
  OTHER_NUMBER,
  readTokens,
  sharedTextAt,
  TEXT,
  TRUE,
  textAt,
  timeUsAt,
} from '../model/json-tokens.ts';
import { type OutcomeFlags, readFlags } from '../model/outcome.ts';
import { MAX_NAME_LENGTH, readCause } from '../model/read-entity.ts';
import { addLeanEntity, type EntityDetails, endLeanSegment, type LeanSegmentBuffer } from '../store/lean-segments.ts';
import {
  type RowBuffer,
  repeatBytes,
  writeBool,
  writeFloat64,
  writeHex,
  writeHexRange,
  writeLength,
  writeString,
  writeTextRange,
  writeUInt16,
  writeUInt32,
  writeUInt64,
} from '../store/row-binary.ts';
import type { RowBuffers } from '../store/write/block.ts';
import { continueTexts, dropSharedTexts } from '../store/write/shared-texts.ts';
import { writeNotPacked, writeTimes } from '../store/write/span-row.ts';
import {
  beginDocument,
  beginEntity,
  collect,
  collectedCount,
  type Fields,
  isInColumn,
  newObjectNumber,
  writeCollected,
} from './segment-attributes.ts';
import { FIELD, FIELD_COUNT, memberName, type Name, type RootNames, rootNames } from './segment-names.ts';

/*
 * From the text of a segment to its rows, without an object of it:
 *
 *   text -- readTokens --> tokens -- readEntity: FIELD by FIELD --> drafts, attributes --> rows, lean records
 *
 * The rows are those of `parseDocument`, `writeEntities` and `writeDocument`, byte for byte: a test compares them. Rare
 * documents are left to that way over objects: all invalid ones, those with links or characters beyond ASCII, and those
 * with repeated members or ids.
 */

export type SegmentSource = { readonly seq: number; readonly server: number; readonly maxBytes: number };

/** An entity while it is read. Objects are used again for the next document. */
type Draft = {
  readonly fields: Fields;
  /** The entity around it; NONE for the top one. */
  parent: number;
  startUs: number;
  endUs: number | undefined;
  status: number | undefined;
  flags: OutcomeFlags;
  cause: Cause | undefined;
  /** Equal for equal ids. */
  idHash: number;
  /** Its annotations are in this part of the lists of the document. */
  annotationStart: number;
  annotationEnd: number;
};

const NONE = -1;

const tokens = newJsonTokens();
const { bytes, kinds, starts, ends, nexts } = tokens;
const drafts: Draft[] = [];
/** The id of each is compared with all others. */
const MAX_ENTITIES = 128;
let entityCount = 0;
let roots: RootNames = rootNames();
/** Annotations of all entities of the document. */
const annotationNames: Name[] = [];
const annotationValues: number[] = [];
/** Members of the current entity that are indexed after its annotations and metadata. */
const indexedNames: Name[] = [];
const indexedValues: number[] = [];

/** Writes the rows of a document, and what the roll-up needs of it. False for a rare document: nothing is written. */
export function writeCommonSegment(
  text: string,
  source: SegmentSource,
  rows: RowBuffers,
  lean: LeanSegmentBuffer,
): boolean {
  if (text.length > source.maxBytes || !readTokens(tokens, text) || kinds[0] !== OBJECT) return false;
  beginDocument();
  roots = rootNames();
  entityCount = 0;
  annotationNames.length = 0;
  annotationValues.length = 0;
  if (!readEntity(0, NONE)) return false;
  const kind = kindOfTop();
  if (kind === undefined) return false;
  const stored = tokens.hasSpace ? compactJson(text).text : text;
  writeEntityRows(rows, kind, source);
  writeDocumentRow(rows.documents, stored, source);
  writeLeanSegment(lean, kind, stored.length, source);
  return true;
}

/** Reads an entity, then its subsegments. False for a rare one. */
function readEntity(object: number, parent: number): boolean {
  if (entityCount === MAX_ENTITIES) return false;
  const index = entityCount++;
  drafts[index] ??= newDraft();
  const draft = drafts[index] as Draft;
  const { fields } = draft;
  draft.parent = parent;
  for (let field = 0; field < FIELD_COUNT; field++) fields[field] = 0;
  beginEntity();
  return (
    readMembers(draft, object) &&
    hasCommonMembers(fields) &&
    hasOwnId(draft, index) &&
    readTimes(draft) &&
    readAnnotations(draft) &&
    collectOthers(fields) &&
    readOutcome(draft) &&
    readSubsegments(fields, index)
  );
}

function newDraft(): Draft {
  return {
    fields: new Int32Array(FIELD_COUNT),
    parent: NONE,
    startUs: 0,
    endUs: undefined,
    status: undefined,
    flags: readFlags({}, undefined),
    cause: undefined,
    idHash: 0,
    annotationStart: 0,
    annotationEnd: 0,
  };
}

function readMembers({ fields }: Draft, object: number): boolean {
  indexedNames.length = 0;
  indexedValues.length = 0;
  const end = nexts[object] as number;
  const number = newObjectNumber();
  let name: Name | undefined;
  for (let member = object + 1; member < end; member = nexts[member + 1] as number) {
    name = memberName(roots.segment, name, bytes, starts[member] as number, ends[member] as number);
    if (name.isRare || name.seenIn === number) return false;
    name.seenIn = number;
    fields[name.field] = member + 1;
    if (!name.path.isIndexed || isInColumn(tokens, name.path, member + 1)) continue;
    indexedNames.push(name);
    indexedValues.push(member + 1);
  }
  return true;
}

/** The checks of `parseDocument` for any entity, and those for a rare one. */
function hasCommonMembers(fields: Fields): boolean {
  const type = fields[FIELD.type] as number;
  const name = fields[FIELD.name] as number;
  if (fields[FIELD.links] !== 0) return false;
  return (isEmpty(type) || isWord(type, 'segment') || isWord(type, 'subsegment')) && isCommonName(name);
}

/** Absent, null or an empty text. */
const isEmpty = (token: number): boolean =>
  token === 0 || kinds[token] === NULL || (kinds[token] === TEXT && starts[token] === ends[token]);

function isWord(token: number, word: string): boolean {
  const start = starts[token] as number;
  if (kinds[token] !== TEXT || (ends[token] as number) - start !== word.length) return false;
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word.charCodeAt(at)) return false;
  return true;
}

/** The characters of ASCII that a name may have without an escape. */
const NAME_CODES = new Uint8Array(128);
for (const code of Buffer.from(' _.:/%&#=+-@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')) {
  NAME_CODES[code] = 1;
}

function isCommonName(token: number): boolean {
  const start = starts[token] as number;
  const end = ends[token] as number;
  if (kinds[token] !== TEXT || start === end || end - start > MAX_NAME_LENGTH) return false;
  for (let at = start; at < end; at++) if (NAME_CODES[bytes[at] as number] === 0) return false;
  return true;
}

/** An id in lower case that no other entity of the document has. */
function hasOwnId(draft: Draft, index: number): boolean {
  const id = draft.fields[FIELD.id] as number;
  if (!isEntityId(id)) return false;
  const start = starts[id] as number;
  let hash = 0;
  for (let at = start; at < start + 16; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  draft.idHash = hash;
  for (let other = 0; other < index; other++) if ((drafts[other] as Draft).idHash === hash) return false;
  return true;
}

const isEntityId = (token: number): boolean =>
  kinds[token] === TEXT && ends[token] === (starts[token] as number) + 16 && isHex(starts[token] as number, 16);

/** Hex digits in lower case that are not all zeros. */
function isHex(start: number, length: number): boolean {
  let hasValue = false;
  for (let at = start; at < start + length; at++) {
    const code = bytes[at] as number;
    if (!((code >= ZERO && code <= NINE) || (code >= LOWER_A && code <= LOWER_F))) return false;
    if (code !== ZERO) hasValue = true;
  }
  return hasValue;
}

const DASH = 45;
const ZERO = 48;
const NINE = 57;
const LOWER_A = 97;
const LOWER_F = 102;

const isNumber = (token: number): boolean => kinds[token] === NUMBER || kinds[token] === OTHER_NUMBER;
const isText = (token: number): boolean => kinds[token] === TEXT || kinds[token] === ESCAPED_TEXT;

/** Either an end, or in progress. */
function readTimes(draft: Draft): boolean {
  const { fields } = draft;
  const start = fields[FIELD.start_time] as number;
  const end = fields[FIELD.end_time] as number;
  const startUs = isNumber(start) ? timeUsAt(tokens, start) : undefined;
  const endUs = isNumber(end) ? timeUsAt(tokens, end) : undefined;
  if (startUs === undefined || (endUs === undefined && end !== 0 && kinds[end] !== NULL)) return false;
  draft.startUs = startUs;
  draft.endUs = endUs === undefined ? undefined : Math.max(startUs, endUs);
  const isInProgress = kinds[fields[FIELD.in_progress] as number] === TRUE;
  return isInProgress === (endUs === undefined);
}

function readAnnotations(draft: Draft): boolean {
  const annotations = draft.fields[FIELD.annotations] as number;
  draft.annotationStart = annotationNames.length;
  draft.annotationEnd = draft.annotationStart;
  if (annotations === 0 || kinds[annotations] !== OBJECT) return true;
  const end = nexts[annotations] as number;
  const number = newObjectNumber();
  let name: Name | undefined;
  for (let member = annotations + 1; member < end; member = nexts[member + 1] as number) {
    name = memberName(roots.annotation, name, bytes, starts[member] as number, ends[member] as number);
    const kind = kinds[member + 1];
    if (name.isRare || name.seenIn === number || kind === OBJECT || kind === ARRAY || kind === NULL) return false;
    name.seenIn = number;
    annotationNames.push(name);
    annotationValues.push(member + 1);
    if (!collect(tokens, name, member + 1, 0, draft.fields)) return false;
  }
  draft.annotationEnd = annotationNames.length;
  return true;
}

function collectOthers(fields: Fields): boolean {
  const metadata = fields[FIELD.metadata] as number;
  if (metadata !== 0 && !collect(tokens, roots.metadata, metadata, 0, fields)) return false;
  for (let at = 0; at < indexedNames.length; at++) {
    if (!collect(tokens, indexedNames[at] as Name, indexedValues[at] as number, 0, fields)) return false;
  }
  return true;
}

/** False for a failure without a flag, see store/span-texts.ts, and for a status that is a text. */
function readOutcome(draft: Draft): boolean {
  const { fields } = draft;
  const status = fields[FIELD['http.response.status']] as number;
  const cause = fields[FIELD.cause] as number;
  if (isText(status)) return false;
  draft.status = isNumber(status) ? Math.trunc(numberAt(tokens, status)) : undefined;
  draft.cause = cause === 0 ? undefined : readCause(jsonAt(cause));
  draft.flags = readFlags(
    {
      fault: kinds[fields[FIELD.fault] as number] === TRUE,
      error: kinds[fields[FIELD.error] as number] === TRUE,
      throttle: kinds[fields[FIELD.throttle] as number] === TRUE,
    },
    draft.status,
  );
  if (draft.flags.outcome !== 'ok') return true;
  return (draft.status ?? 0) < 400 && (draft.cause?.exceptions.length ?? 0) === 0;
}

function readSubsegments(fields: Fields, index: number): boolean {
  const list = fields[FIELD.subsegments] as number;
  if (list === 0) return true;
  if (kinds[list] !== ARRAY) return false;
  const end = nexts[list] as number;
  for (let item = list + 1; item < end; item = nexts[item] as number) {
    if (kinds[item] !== OBJECT || !readEntity(item, index)) return false;
  }
  return true;
}

/** Undefined if its ids are rare or not valid. */
function kindOfTop(): Entity['kind'] | undefined {
  const { fields } = drafts[0] as Draft;
  const parentId = fields[FIELD.parent_id] as number;
  const kind = isWord(fields[FIELD.type] as number, 'subsegment') ? 'subsegment' : 'segment';
  if (!isTraceId(fields[FIELD.trace_id] as number)) return undefined;
  if (isEmpty(parentId)) return kind === 'segment' ? kind : undefined;
  return isEntityId(parentId) ? kind : undefined;
}

/** X-Ray's form: `1-`, 8 digits, `-`, 24 digits. */
function isTraceId(token: number): boolean {
  const start = starts[token] as number;
  if (kinds[token] !== TEXT || ends[token] !== start + TRACE_ID_LENGTH) return false;
  if (bytes[start] !== ZERO + 1 || bytes[start + 1] !== DASH || bytes[start + SECOND_PART - 1] !== DASH) return false;
  const isTimed = isHex(start + FIRST_PART, 8);
  // The first digits of ids that are made otherwise may be zero.
  return (isTimed || isWordOfZeros(start + FIRST_PART, 8)) && isHex(start + SECOND_PART, 24);
}

const TRACE_ID_LENGTH = 35;
const FIRST_PART = 2;
const SECOND_PART = 11;

function isWordOfZeros(start: number, length: number): boolean {
  for (let at = start; at < start + length; at++) if (bytes[at] !== ZERO) return false;
  return true;
}

/** The columns of `writeEntities`. */
function writeEntityRows({ entities: row, texts }: RowBuffers, kind: Entity['kind'], { seq }: SegmentSource): void {
  continueTexts(texts, seq);
  const top = drafts[0] as Draft;
  const topId = starts[top.fields[FIELD.id] as number] as number;
  const start = row.length;
  for (let index = 0; index < entityCount; index++) {
    const draft = drafts[index] as Draft;
    const { fields } = draft;
    const isTop = index === 0;
    if (isTop) writeTraceId(row);
    else repeatBytes(row, start, 16);
    writeHexRange(row, bytes, starts[fields[FIELD.id] as number] as number, 8);
    const hasParent = isTop && !isEmpty(fields[FIELD.parent_id] as number);
    if (hasParent) writeHexRange(row, bytes, starts[fields[FIELD.parent_id] as number] as number, 8);
    else writeHex(row, undefined, 8);
    if (isTop) writeHex(row, undefined, 8);
    else writeHexRange(row, bytes, topId, 8);
    const isSegment = isTop && kind === 'segment';
    writeBool(row, kind === 'segment');
    writeUInt64(row, seq);
    writeBool(row, isSegment);
    writeBool(row, isSegment && !hasParent);
    writeColumns(row, draft);
    if (isTop) {
      const listAt = row.length;
      writeLength(row, collectedCount());
      writeCollected(row, tokens);
      dropSharedTexts(texts, row, start, listAt);
    } else writeLength(row, 0);
  }
}

function writeTraceId(row: RowBuffer): void {
  const start = starts[(drafts[0] as Draft).fields[FIELD.trace_id] as number] as number;
  writeHexRange(row, bytes, start + FIRST_PART, 4);
  writeHexRange(row, bytes, start + SECOND_PART, 12);
}

/** From `in_progress` to the annotations. */
function writeColumns(row: RowBuffer, draft: Draft): void {
  const { fields, flags } = draft;
  writeBool(row, draft.endUs === undefined);
  writeUInt64(row, draft.startUs);
  writeUInt64(row, draft.endUs ?? 0);
  writeText(row, fields[FIELD.name]);
  writeText(row, fields[FIELD.origin]);
  writeText(row, fields[FIELD.namespace]);
  writeBool(row, flags.isFault);
  writeBool(row, flags.isError);
  writeBool(row, flags.isThrottle);
  writeUInt16(row, draft.status ?? 0);
  writeText(row, fields[FIELD['http.request.method']]);
  writeText(row, fields[FIELD['http.request.url']]);
  writeText(row, fields[FIELD['http.request.user_agent']]);
  writeText(row, fields[FIELD['http.request.client_ip']]);
  writeText(row, fields[FIELD.user]);
  writeText(row, fields[FIELD.resource_arn]);
  writeText(row, fields[FIELD['aws.ec2.instance_id']]);
  writeText(row, fields[FIELD['aws.ec2.availability_zone']]);
  writeText(row, fields[FIELD['aws.account_id']]);
  writeAnnotations(row, draft);
}

/** An empty text for a value that is none. */
function writeText(row: RowBuffer, token = 0): void {
  if (kinds[token] === TEXT) writeTextRange(row, bytes, starts[token] as number, ends[token] as number);
  else writeString(row, kinds[token] === ESCAPED_TEXT ? textAt(tokens, token) : '');
}

/** Three maps: string, number, bool. */
function writeAnnotations(row: RowBuffer, { annotationStart: from, annotationEnd: to }: Draft): void {
  let texts = 0;
  let numbers = 0;
  for (let at = from; at < to; at++) {
    const value = annotationValues[at] as number;
    if (isText(value)) texts++;
    else if (isNumber(value)) numbers++;
  }
  writeLength(row, texts);
  for (let at = from; texts > 0 && at < to; at++) {
    const value = annotationValues[at] as number;
    if (!isText(value)) continue;
    writeName(row, annotationNames[at] as Name);
    writeText(row, value);
  }
  writeLength(row, numbers);
  for (let at = from; numbers > 0 && at < to; at++) {
    const value = annotationValues[at] as number;
    if (!isNumber(value)) continue;
    writeName(row, annotationNames[at] as Name);
    writeFloat64(row, numberAt(tokens, value));
  }
  const bools = to - from - texts - numbers;
  writeLength(row, bools);
  for (let at = from; bools > 0 && at < to; at++) {
    const value = annotationValues[at] as number;
    if (isText(value) || isNumber(value)) continue;
    writeName(row, annotationNames[at] as Name);
    writeBool(row, kinds[value] === TRUE);
  }
}

const writeName = (row: RowBuffer, { bytes: name }: Name): void => writeTextRange(row, name, 0, name.length);

/** The columns of `writeDocument`. */
function writeDocumentRow(row: RowBuffer, stored: string, { seq, server }: SegmentSource): void {
  const top = drafts[0] as Draft;
  let startUs = top.startUs;
  let endUs = 0;
  for (let index = 0; index < entityCount; index++) {
    const draft = drafts[index] as Draft;
    startUs = Math.min(startUs, draft.startUs);
    endUs = Math.max(endUs, draft.endUs ?? 0);
  }
  writeTraceId(row);
  writeHexRange(row, bytes, starts[top.fields[FIELD.id] as number] as number, 8);
  writeUInt64(row, seq);
  writeUInt32(row, server);
  writeString(row, 'xray');
  writeTimes(row, { isUnfinished: top.endUs === undefined, startUs, endUs });
  if (tokens.hasSpace) writeString(row, stored);
  else writeTextRange(row, bytes, 0, stored.length);
  writeNotPacked(row);
}

/** What `leanDocument` makes of the document. */
function writeLeanSegment(
  target: LeanSegmentBuffer,
  kind: Entity['kind'],
  bodyBytes: number,
  { seq }: SegmentSource,
): void {
  for (let index = 0; index < entityCount; index++) {
    const draft = drafts[index] as Draft;
    const { fields, parent } = draft;
    const isTop = parent === NONE;
    const sentParent = fields[FIELD.parent_id] as number;
    const parentId = isTop ? (isEmpty(sentParent) ? NONE : sentParent) : idOf(parent);
    const isRoot = isTop && kind === 'segment' && parentId === NONE;
    ownBytes = 0;
    const name = readText(fields[FIELD.name]) as string;
    const namespace = readText(fields[FIELD.namespace]);
    const annotations = annotationsOf(draft);
    const details = detailsOf(draft, isTop && kind === 'segment', isRoot);
    addLeanEntity(target, {
      bytes,
      idAt: starts[idOf(index)] as number,
      parentAt: parentId === NONE ? NONE : (starts[parentId] as number),
      kind: isTop ? kind : 'subsegment',
      startUs: draft.startUs,
      endUs: draft.endUs,
      flags: draft.flags,
      name,
      namespace,
      annotations,
      details,
      ownBytes,
    });
  }
  writeTraceId(target.heads);
  endLeanSegment(target, seq, bodyBytes);
}

const idOf = (entity: number): number => (drafts[entity] as Draft).fields[FIELD.id] as number;

/** Of the entity that is written: length of the text of values that no other entity shares. */
let ownBytes = 0;

/** Undefined if there are none: most subsegments. */
function detailsOf(draft: Draft, isSegment: boolean, isRoot: boolean): EntityDetails | undefined {
  const { fields, cause } = draft;
  const origin = readText(fields[FIELD.origin]);
  const user = readText(fields[FIELD.user]);
  const resourceArn = readText(fields[FIELD.resource_arn]);
  const accountId = readText(fields[FIELD['aws.account_id']]);
  const http = isRoot ? httpOf(draft) : undefined;
  const entityFields = leanFields(fields, isSegment);
  const hasTexts = origin !== undefined || user !== undefined || resourceArn !== undefined || accountId !== undefined;
  if (!hasTexts && http === undefined && cause === undefined && entityFields === NO_FIELDS) return undefined;
  ownBytes += DETAILS_BYTES;
  if (cause !== undefined) ownBytes += lengthAt(fields[FIELD.cause] as number);
  return { origin, user, resourceArn, accountId, http, cause, fields: entityFields };
}

/** Of an object with references. */
const DETAILS_BYTES = 64;

const lengthAt = (token: number): number => (ends[token] as number) - (starts[token] as number);

const NO_FIELDS: JsonObject = {};
const NO_ANNOTATIONS: Entity['annotations'] = {};

function readText(token = 0): string | undefined {
  if (!isText(token) || starts[token] === ends[token]) return undefined;
  const length = lengthAt(token);
  if (length > MAX_SHARED_LENGTH) ownBytes += length;
  return sharedTextAt(tokens, token);
}

function httpOf({ fields, status }: Draft): Http | undefined {
  if (kinds[fields[FIELD.http] as number] !== OBJECT || fields[FIELD.http] === 0) return undefined;
  const method = readText(fields[FIELD['http.request.method']]);
  const url = readText(fields[FIELD['http.request.url']]);
  const userAgent = readText(fields[FIELD['http.request.user_agent']]);
  const clientIp = readText(fields[FIELD['http.request.client_ip']]);
  return {
    ...(method !== undefined && { method }),
    ...(url !== undefined && { url }),
    ...(userAgent !== undefined && { userAgent }),
    ...(clientIp !== undefined && { clientIp }),
    ...(status !== undefined && { status }),
  };
}

/** The last ones, and their text: entities of a trace often have the same. */
let lastAnnotations = NO_ANNOTATIONS;
const lastSource = Buffer.alloc(1_000);
let lastLength = 0;

function annotationsOf({ fields, annotationStart: from, annotationEnd: to }: Draft): Entity['annotations'] {
  if (from === to) return NO_ANNOTATIONS;
  const object = fields[FIELD.annotations] as number;
  const start = starts[object] as number;
  const length = lengthAt(object);
  if (length === lastLength && areEqual(bytes, start, lastSource, 0, length)) return lastAnnotations;
  const annotations: Record<string, AnnotationValue> = {};
  for (let at = from; at < to; at++) {
    annotations[(annotationNames[at] as Name).text] = annotationAt(annotationValues[at] as number);
  }
  ownBytes += length;
  if (length > lastSource.length) return annotations;
  bytes.copy(lastSource, 0, start, start + length);
  lastLength = length;
  lastAnnotations = annotations;
  return annotations;
}

function annotationAt(token: number): AnnotationValue {
  switch (kinds[token]) {
    case TRUE:
      return true;
    case FALSE:
      return false;
    case NUMBER:
    case OTHER_NUMBER:
      return numberAt(tokens, token);
    default:
      return sharedTextAt(tokens, token);
  }
}

function leanFields(fields: Fields, isSegment: boolean): JsonObject {
  const aws = fields[FIELD.aws] as number;
  const sql = fields[FIELD.sql] as number;
  if (aws === 0 && sql === 0) return NO_FIELDS;
  return {
    aws: aws === 0 ? null : isSegment ? sharedJsonAt(aws) : ownJsonAt(aws),
    sql: sql !== 0 && kinds[sql] === OBJECT ? NO_FIELDS : null,
  };
}

function ownJsonAt(token: number): JsonValue {
  ownBytes += lengthAt(token);
  return jsonAt(token);
}

function jsonAt(token: number): JsonValue {
  return JSON.parse(sourceAt(token));
}

function sourceAt(token: number): string {
  const quote = isText(token) ? 1 : 0;
  return tokens.text.slice((starts[token] as number) - quote, (ends[token] as number) + quote);
}

/** By source: the segments of a service have the same host and SDK. */
const sharedValues = new Map<string, JsonValue>();
const MAX_SHARED_VALUES = 1_000;
const MAX_SHARED_SOURCE = 1_000;

function sharedJsonAt(token: number): JsonValue {
  const source = sourceAt(token);
  const known = sharedValues.get(source);
  if (known !== undefined) return known;
  const value: JsonValue = JSON.parse(source);
  if (source.length > MAX_SHARED_SOURCE) return value;
  if (sharedValues.size >= MAX_SHARED_VALUES) sharedValues.clear();
  // A part of a text keeps the whole text.
  sharedValues.set(Buffer.from(source).toString('latin1'), value);
  return value;
}
