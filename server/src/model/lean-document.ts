import type { Document, Entity, StoredFormat } from './entity.ts';
import { parseStored } from './parse-stored.ts';

/**
 * The part of a document that `traceGraph`, `linkGraph` and `summariseTrace` need. Keep these instead of many documents: objects that
 * survive cost the garbage collector more than parsing them again. The translation of a span depends on all of it and
 * on other documents, so spans keep their text and are parsed again.
 */
export type LeanDocument =
  | Extract<Document, { format: 'xray' }>
  | (Pick<Document, 'traceId' | 'id' | 'seq' | 'text'> & { readonly format: Exclude<StoredFormat, 'xray'> });

export function leanDocument(document: Document): LeanDocument {
  if (document.format === 'xray') return { ...document, entities: document.entities.map(leanEntity) };
  const { traceId, id, seq, text } = document;
  return { format: document.format === 'otlp' ? document.storedAs : document.format, traceId, id, seq, text };
}

/** The documents from which graphs are made. */
export function documentsOf(lean: LeanDocument): readonly Document[] {
  return lean.format === 'xray' ? [lean] : parseStored(lean.format, lean.text, lean.seq);
}

function leanEntity(entity: Entity): Entity {
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
    fields: isNamed ? { aws: aws ?? null, sql: sql ?? null } : NO_FIELDS,
  };
}

const NO_FIELDS = {};
