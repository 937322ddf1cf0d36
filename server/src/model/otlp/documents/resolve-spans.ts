import type { Document, Entity } from '../../entity.ts';
import { FLAG, KIND, type LogRecord, type SpanLink } from '../../otlp-messages.ts';
import type { EntityId } from '../../trace-id.ts';
import { isXray, type SentDocument } from '../../xray-document.ts';
import { restoreEntities } from '../round-trip/restore-entities.ts';
import { parentIdOf } from '../span-ids.ts';
import { attributesOf } from '../to-xray/attributes.ts';
import { xrayResourceOf } from '../to-xray/resource.ts';
import { dependsOnParent, type ParentInTrace, shapeOf } from '../to-xray/span-shape.ts';
import type { TranslationContext } from '../to-xray/span-to-entities.ts';

type SpanDocument = Extract<Document, { format: 'otlp' }>;

/**
 * Translates each span again in the context of the other documents of its trace: its parent may be a function that
 * Lambda reports or another service, log records may describe its exceptions, and consumers directly below may have
 * links. A trace without spans is returned unchanged.
 */
export function resolveSpans(documents: readonly SentDocument[]): readonly SentDocument[] {
  if (documents.every(isXray)) return documents;
  const parents = parentsIn(documents);
  const records = recordsIn(documents);
  const links = consumerLinksIn(documents);
  return documents.map((document) => {
    if (document.format !== 'otlp') return document;
    const context = contextOf(document, parents, records, links);
    return context === undefined ? document : { ...document, entities: restoreEntities(document.span, context) };
  });
}

/** Undefined if the other documents do not change the translation of the span. */
function contextOf(
  document: SpanDocument,
  parents: (id: EntityId) => ParentInTrace | undefined,
  records: ReadonlyMap<EntityId, readonly LogRecord[]>,
  links: ReadonlyMap<EntityId, readonly SpanLink[]>,
): TranslationContext | undefined {
  const { id, indexed } = document;
  const parent = decidingParent(document, parents);
  const ownRecords = records.get(id);
  const kind = document.entities[0]?.kind;
  const consumerLinks = kind === 'segment' ? links.get(id) : undefined;
  if (parent === undefined && ownRecords === undefined && consumerLinks === undefined) return undefined;
  return { indexed, parent, records: ownRecords ?? [], consumerLinks: consumerLinks ?? [] };
}

/** The parent, if it changes the shape of the span. */
function decidingParent(
  { span: { span, resource } }: SpanDocument,
  parents: (id: EntityId) => ParentInTrace | undefined,
): ParentInTrace | undefined {
  const parentId = parentIdOf(span.parentSpanId);
  const parent = parentId === undefined ? undefined : parents(parentId);
  if (parent === undefined || (parent.functionName === undefined && !dependsOnParent(span))) return undefined;
  const attributes = attributesOf(span.attributes);
  const xrayResource = xrayResourceOf(resource);
  const isChanged =
    shapeOf(span, attributes, xrayResource, parent) !== shapeOf(span, attributes, xrayResource, undefined);
  return isChanged ? parent : undefined;
}

/** The parent with an id, if it was received. Of several documents with one id the first counts. */
function parentsIn(documents: readonly SentDocument[]): (id: EntityId) => ParentInTrace | undefined {
  const spans = new Map<EntityId, SpanDocument>();
  const entities = new Map<EntityId, Entity>();
  for (const document of documents) {
    if (document.format === 'otlp' && !spans.has(document.id)) spans.set(document.id, document);
    if (!isXray(document)) continue;
    for (const entity of document.entities) if (!entities.has(entity.id)) entities.set(entity.id, entity);
  }
  return (id) => {
    const span = spans.get(id);
    if (span !== undefined) {
      const { serviceName, instanceId } = xrayResourceOf(span.span.resource);
      return { functionName: undefined, serviceName, instanceId };
    }
    const segment = segmentAround(id, entities);
    if (segment === undefined) return undefined;
    const functionName = segment.origin === 'AWS::Lambda::Function' ? segment.name : undefined;
    return { functionName, serviceName: segment.name, instanceId: undefined };
  };
}

/** The segment that is the entity or contains it, if X-Ray documents have it. */
function segmentAround(id: EntityId, entities: ReadonlyMap<EntityId, Entity>): Entity | undefined {
  const seen = new Set<Entity>();
  let at = entities.get(id);
  while (at !== undefined && at.kind === 'subsegment' && !seen.has(at)) {
    seen.add(at);
    at = at.parentId === undefined ? undefined : entities.get(at.parentId);
  }
  return at?.kind === 'segment' ? at : undefined;
}

/** Log records by span, in the order of the documents. */
function recordsIn(documents: readonly SentDocument[]): ReadonlyMap<EntityId, readonly LogRecord[]> {
  const records = new Map<EntityId, LogRecord[]>();
  for (const document of documents) {
    if (document.format !== 'otlp-log') continue;
    const ofSpan = records.get(document.id);
    if (ofSpan === undefined) records.set(document.id, [document.log.record]);
    else ofSpan.push(document.log.record);
  }
  return records;
}

/** Links of consumers, by the span directly above if it belongs to the same service. */
function consumerLinksIn(documents: readonly SentDocument[]): ReadonlyMap<EntityId, readonly SpanLink[]> {
  const links = new Map<EntityId, SpanLink[]>();
  const seen = new Set<EntityId>();
  for (const document of documents) {
    if (document.format !== 'otlp' || seen.has(document.id)) continue;
    seen.add(document.id);
    const { span } = document.span;
    const parentId = parentIdOf(span.parentSpanId);
    const isRemote = ((span.flags ?? 0) & FLAG.isRemote) !== 0;
    if (span.kind !== KIND.consumer || parentId === undefined || isRemote) continue;
    const above = links.get(parentId);
    if (above === undefined) links.set(parentId, [...(span.links ?? [])]);
    else above.push(...(span.links ?? []));
  }
  return links;
}
