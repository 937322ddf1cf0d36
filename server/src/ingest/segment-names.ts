import { ROUND_TRIP_NAMESPACE } from '../model/otlp/round-trip-keys.ts';
import { NOT_INDEXED, STATUS_PATH, TEXT_COLUMNS } from '../store/attributes.ts';

/*
 * Names of members in segment documents. Senders repeat their names in the same order, so each name has those that came after
 * it: the next one is found by comparing a few bytes, without a text for it.
 */

/**
 * Members that rows, checks or the roll-up read, by their path in an entity. `FIELD.none` stands for all others: nothing reads
 * its value.
 */
export const FIELD = {
  none: 0,
  id: 1,
  name: 2,
  type: 3,
  trace_id: 4,
  parent_id: 5,
  start_time: 6,
  end_time: 7,
  in_progress: 8,
  fault: 9,
  error: 10,
  throttle: 11,
  annotations: 12,
  metadata: 13,
  subsegments: 14,
  namespace: 15,
  origin: 16,
  user: 17,
  resource_arn: 18,
  cause: 19,
  links: 20,
  sql: 21,
  http: 22,
  'http.request.method': 23,
  'http.request.url': 24,
  'http.request.user_agent': 25,
  'http.request.client_ip': 26,
  'http.response.status': 27,
  aws: 28,
  'aws.account_id': 29,
  'aws.ec2.instance_id': 30,
  'aws.ec2.availability_zone': 31,
} as const;

const FIELDS: ReadonlyMap<string, number> = new Map(Object.entries(FIELD).filter(([, field]) => field !== FIELD.none));
export const FIELD_COUNT = 32;

/** A name of a member, below the names of the objects around it. */
export type Name = {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly path: Path;
  /** One of `FIELD`. */
  readonly field: number;
  /** A member below has a field. */
  readonly hasFields: boolean;
  /** Stack frames are not indexed. */
  readonly isSkipped: boolean;
  /** Documents with this name take the way over objects. */
  readonly isRare: boolean;
  /** The last object that had the name, by its number. */
  seenIn: number;
  /** Of the members of its value: the names that came first. */
  readonly firsts: Name[];
  /** The names that came after this one in the same object. */
  readonly followers: Name[];
  readonly members: Map<string, Name>;
};

/** Where indexed values are in documents. Names with a dot may have the path of others. */
export type Path = {
  /** Such as `metadata.default.order`. */
  readonly text: string;
  /** `text` and `=` in UTF-8. */
  readonly prefix: Uint8Array;
  /** Texts, or numbers, are in a column of their own. */
  readonly isTextColumn: boolean;
  readonly isNumberColumn: boolean;
  readonly isIndexed: boolean;
  /** Number of the last document that had the path, and the entries of its first and its last value. */
  foundIn: number;
  first: number;
  last: number;
  valueCount: number;
};

/** Names beyond these bounds are not kept. */
const MAX_NAMES = 20_000;
const MAX_PATH_LENGTH = 100;
/** Each costs a comparison. */
const MAX_FOLLOWERS = 8;

const paths = new Map<string, Path>();
let nameCount = 0;

/** The names below `annotation`, `metadata` and `segment`, as indexed strings spell them. */
export type RootNames = { readonly annotation: Name; readonly metadata: Name; readonly segment: Name };

let roots = newRoots();

/** Call it once for a document: the names of earlier documents may be dropped. */
export function rootNames(): RootNames {
  if (nameCount > MAX_NAMES) {
    nameCount = 0;
    paths.clear();
    roots = newRoots();
  }
  return roots;
}

function newRoots(): RootNames {
  return {
    annotation: newName('annotation', 'annotation', false),
    metadata: newName('metadata', 'metadata', false),
    segment: newName('segment', 'segment', false),
  };
}

/** The member of `parent` whose name has the bytes from `start` to `end`, all ASCII. `previous` is the one before it. */
export function memberName(parent: Name, previous: Name | undefined, bytes: Buffer, start: number, end: number): Name {
  const candidates = previous === undefined ? parent.firsts : previous.followers;
  for (let at = 0; at < candidates.length; at++) {
    const candidate = candidates[at] as Name;
    if (isAt(candidate.bytes, bytes, start, end)) return candidate;
  }
  const text = bytes.toString('latin1', start, end);
  const known = parent.members.get(text);
  if (known === undefined) return addMember(parent, text);
  // Names that occur once are no candidates.
  if (candidates.length < MAX_FOLLOWERS) candidates.push(known);
  return known;
}

function isAt(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) return false;
  return true;
}

function addMember(parent: Name, text: string): Name {
  const path = `${parent.path.text}.${text}`;
  // In objects of JavaScript such names change the order, or are no members.
  const isRare = /^(\d|__proto__$)/.test(text) || path.length > MAX_PATH_LENGTH || isSpecial(path, text);
  const name = newName(text, path, isRare);
  // A document with a rare name is not read on.
  if (path.length <= MAX_PATH_LENGTH) parent.members.set(text, name);
  return name;
}

/** Names that are no paths, and those that spans have which were segments. */
function isSpecial(path: string, text: string): boolean {
  if (path.startsWith('segment.')) return text.includes('.');
  return path === `metadata.${ROUND_TRIP_NAMESPACE}`;
}

function newName(text: string, path: string, isRare: boolean): Name {
  nameCount++;
  const ofEntity = path.startsWith('segment.') ? path.slice('segment.'.length) : '';
  return {
    text,
    bytes: Buffer.from(text),
    path: pathOf(path),
    field: FIELDS.get(ofEntity) ?? FIELD.none,
    hasFields: ofEntity !== '' && [...FIELDS.keys()].some((field) => field.startsWith(`${ofEntity}.`)),
    isSkipped: ofEntity === 'cause.exceptions.stack',
    isRare,
    seenIn: 0,
    firsts: [],
    followers: [],
    members: new Map(),
  };
}

function pathOf(text: string): Path {
  const known = paths.get(text);
  if (known !== undefined) return known;
  const field = text.startsWith('segment.') ? text.slice('segment.'.length) : '';
  const path = {
    text,
    prefix: Buffer.from(`${text}=`),
    isTextColumn: TEXT_COLUMNS.has(field),
    isNumberColumn: field === STATUS_PATH,
    isIndexed: !NOT_INDEXED.has(field),
    foundIn: 0,
    first: 0,
    last: 0,
    valueCount: 0,
  };
  if (text.length <= MAX_PATH_LENGTH) paths.set(text, path);
  return path;
}
