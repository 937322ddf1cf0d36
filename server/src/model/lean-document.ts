import type { Document, Entity } from './entity.ts';

/**
 * The document as far as `traceGraph` and `linkGraph` look at it. Whoever keeps many for a while keeps these: what stays
 * costs the garbage collector more than it took to read. A span stays whole, since what it is depends on others.
 */
export function leanDocument(document: Document): Document {
  if (document.format !== 'xray') return document;
  return { ...document, entities: document.entities.map(leanEntity) };
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
    user: undefined,
    resourceArn: undefined,
    accountId: entity.accountId,
    outcome: entity.outcome,
    isFault: entity.isFault,
    isError: entity.isError,
    isThrottle: entity.isThrottle,
    http: undefined,
    cause: undefined,
    annotations: NO_FIELDS,
    metadata: undefined,
    links: entity.links,
    fields: isNamed ? { aws: aws ?? null, sql: sql ?? null } : NO_FIELDS,
  };
}

const NO_FIELDS = {};
