import type { Document, Entity } from './entity.ts';
import { readObject } from './json.ts';
import { parentIdOf } from './otlp/span-ids.ts';
import { type XrayResource, xrayResourceOf } from './otlp/to-xray/resource.ts';
import { dependsOnParent, isOtherService } from './otlp/to-xray/span-shape.ts';
import { KIND } from './otlp-messages.ts';
import { parseStored } from './parse-stored.ts';
import type { EntityId } from './trace-id.ts';
import { isXray, type LeanSegment, type XrayDocument } from './xray-document.ts';

/**
 * The part of a document that `traceGraph`, `linkGraph` and `summariseTrace` need. Keep these instead of many
 * documents: objects that survive cost the garbage collector more than parsing them again.
 */
export type LeanDocument =
  | LeanSegment
  | LeanSpan
  | (Pick<Document, 'traceId' | 'id' | 'seq' | 'text'> & { readonly format: 'otlp-protobuf' | 'otlp' | 'otlp-log' });

/**
 * A span as its translation without the rest of its trace. It has no text: a trace for which `areSettled` is false has
 * to be read from the store. Spans with links keep their text, since links of a consumer move to the span above it.
 */
export type LeanSpan = Pick<Document, 'traceId' | 'id' | 'seq' | 'entities'> & {
  readonly format: 'lean-span';
  /** Length of its stored body. */
  readonly bodyBytes: number;
  readonly parentId: EntityId | undefined;
  readonly isServer: boolean;
  /** Whether a parent of another service makes it a segment. */
  readonly dependsOnParent: boolean;
  readonly resource: Pick<XrayResource, 'serviceName' | 'instanceId'>;
};

/** What a trace is assembled from. */
export type CountedDocument = Document | LeanSegment | LeanSpan;

export function leanDocument(document: Document): LeanDocument {
  switch (document.format) {
    case 'xray': {
      const { traceId, id, seq, text, entities } = document;
      const bodyBytes = Buffer.byteLength(text);
      return { format: 'lean-segment', traceId, id, seq, entities: entities.map(leanEntity), bodyBytes };
    }
    case 'otlp':
      return leanSpan(document);
    case 'otlp-log': {
      const { format, traceId, id, seq, text } = document;
      return { format, traceId, id, seq, text };
    }
  }
}

function leanSpan(document: Extract<Document, { format: 'otlp' }>): LeanDocument {
  const { traceId, id, seq, text, storedAs, entities, span } = document;
  if (span.span.links !== undefined) return { format: storedAs, traceId, id, seq, text };
  return {
    format: 'lean-span',
    traceId,
    id,
    seq,
    entities: entities.map(leanEntity),
    bodyBytes: storedAs === 'otlp-protobuf' ? text.length : Buffer.byteLength(text),
    parentId: parentIdOf(span.span.parentSpanId),
    isServer: span.span.kind === KIND.server,
    dependsOnParent: dependsOnParent(span.span),
    resource: xrayResourceOf(span.resource),
  };
}

/** Lean documents with their text. */
export type LeanText = Exclude<LeanDocument, LeanSegment | LeanSpan>;

/** The documents from which graphs are made. */
export const documentsOf = ({ format, text, seq }: LeanText): readonly Document[] => parseStored(format, text, seq);

/** Documents for which `areSettled` is true. */
export type SettledDocument = XrayDocument | LeanSpan;

/**
 * Whether `assembleTrace` makes of these documents the trace that it makes of those with all their data: they are
 * settled, or all are X-Ray's and none can be a repeat of another one, since those with one id differ in length.
 */
export const canAssemble = (documents: readonly (LeanSegment | LeanSpan)[]): boolean =>
  areSettled(documents) || areDistinct(documents);

function areDistinct(documents: readonly (LeanSegment | LeanSpan)[]): boolean {
  const known = new Set<string>();
  for (const document of documents) {
    if (!isXray(document)) return false;
    known.add(`${document.id} ${document.bodyBytes}`);
  }
  return known.size === documents.length;
}

/**
 * Whether the documents of a trace have the entities that the trace shows: none is a version of another one, and none
 * changes the translation of another one. The same is then true for a part of them. False for spans with all their
 * data, which `assembleTrace` resolves.
 */
export function areSettled(documents: readonly CountedDocument[]): documents is readonly SettledDocument[] {
  const byId = new Map<EntityId, SettledDocument>();
  let spans = 0;
  for (const document of documents) {
    if (document.format === 'lean-span') spans++;
    else if (!isXray(document)) return false;
    byId.set(document.id, document);
  }
  if (byId.size < documents.length) return false;
  if (spans === 0) return true;
  const inlineIds = spans < documents.length ? inlineIdsIn(byId) : NO_IDS;
  if (inlineIds === undefined) return false;
  const callers = new Set<EntityId>();
  for (const document of byId.values()) {
    if (isXray(document) && document.entities.some(isFunction)) return false;
    if (document.format === 'lean-span' && document.isServer && document.parentId !== undefined)
      callers.add(document.parentId);
  }
  for (const document of byId.values()) {
    if (document.format === 'lean-span' && !isSettled(document, byId, callers, inlineIds)) return false;
  }
  return true;
}

const NO_IDS: ReadonlySet<EntityId> = new Set();

/** Of subsegments inside of documents. Undefined if one of them has the id of another entity: see `separateSharedIds`. */
function inlineIdsIn(byId: ReadonlyMap<EntityId, SettledDocument>): ReadonlySet<EntityId> | undefined {
  const ids = new Set<EntityId>();
  for (const document of byId.values()) {
    if (!isXray(document)) continue;
    for (const { id } of document.entities.slice(1)) {
      if (ids.has(id) || byId.has(id)) return undefined;
      ids.add(id);
    }
  }
  return ids;
}

/** A span may be a part of the function that Lambda reports. */
const isFunction = ({ origin }: Entity): boolean => origin === 'AWS::Lambda::Function';

/** `callers`: ids that spans of servers name as their parent. `inlineIds`: of subsegments inside of documents. */
function isSettled(
  { parentId, isServer, dependsOnParent, resource }: LeanSpan,
  byId: ReadonlyMap<EntityId, SettledDocument>,
  callers: ReadonlySet<EntityId>,
  inlineIds: ReadonlySet<EntityId>,
): boolean {
  if (parentId === undefined || isServer) return true;
  // In Zipkin's model a server may share the id of its caller: then the spans below the server name the caller.
  if (callers.has(parentId)) return false;
  if (!dependsOnParent) return true;
  const parent = byId.get(parentId);
  if (parent?.format !== 'lean-span') return parent === undefined && !inlineIds.has(parentId);
  return !isOtherService(parent.resource, resource);
}

export function leanEntity(entity: Entity): Entity {
  const { aws, sql } = entity.fields;
  const isNamed = aws !== undefined || sql !== undefined;
  return {
    traceId: entity.traceId,
    id: entity.id,
    parentId: entity.parentId,
    kind: entity.kind,
    name: entity.name,
    startUs: entity.startUs,
    endUs: entity.endUs,
    namespace: entity.namespace,
    origin: entity.origin,
    user: entity.user,
    resourceArn: entity.resourceArn,
    accountId: entity.accountId,
    outcome: entity.outcome,
    isFault: entity.isFault,
    isError: entity.isError,
    isThrottle: entity.isThrottle,
    // A summary has the request of the root only.
    http: entity.kind === 'segment' && entity.parentId === undefined ? entity.http : undefined,
    cause: entity.cause,
    annotations: entity.annotations,
    metadata: undefined,
    links: entity.links,
    ...(entity.callee !== undefined && { callee: entity.callee }),
    // Whether there is `sql` matters, not its members.
    fields: isNamed ? { aws: aws ?? null, sql: readObject(sql) === undefined ? null : NO_FIELDS } : NO_FIELDS,
  };
}

const NO_FIELDS = {};
