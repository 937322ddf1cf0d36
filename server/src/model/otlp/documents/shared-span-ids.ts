import type { Document } from '../../entity.ts';
import { KIND } from '../../otlp-messages.ts';
import type { EntityId } from '../../trace-id.ts';
import { restoreEntities } from '../round-trip/restore-entities.ts';
import { parentIdOf } from '../span-ids.ts';
import { otherSideId, serverSideId } from '../to-xray/derived-ids.ts';
import { xrayResourceOf } from '../to-xray/resource.ts';

type SpanDocument = Extract<Document, { format: 'otlp' }>;

/** The spans of one id that have the same kind and service: versions of one span. */
type Side = { readonly kind: number; readonly service: string; readonly id: EntityId };

/**
 * Gives each span of a trace an id of its own. In Zipkin's model both sides of a call are spans with one id, and they
 * may arrive by any protocol, in any order and batch. Spans with one id are versions of one span unless their kind or
 * service differ. Then the calling side keeps the id; the other side gets the id that the Zipkin receiver derives, and
 * the calling side as its parent. Spans and log records of its service move below it.
 *
 * The result depends only on which documents there are. Takes linear time, and returns the same list if no id is
 * shared.
 */
export function separateSharedIds(documents: readonly Document[]): readonly Document[] {
  const sides = new Map([...receivedServerSides(documents), ...sidesOfSharedIds(documents)]);
  return sides.size === 0 ? documents : documents.map((document) => separated(document, sides));
}

/** The sides of each shared id. The first side is the one that keeps the id. */
type SidesById = ReadonlyMap<EntityId, readonly Side[]>;

function sidesOfSharedIds(documents: readonly Document[]): SidesById {
  const first = new Map<EntityId, SpanDocument>();
  const shared = new Map<EntityId, SpanDocument[]>();
  for (const document of documents) {
    if (document.format !== 'otlp') continue;
    const known = first.get(document.id);
    if (known === undefined) first.set(document.id, document);
    else if (shared.has(document.id)) shared.get(document.id)?.push(document);
    else if (!isSameSide(known, document)) shared.set(document.id, [known, document]);
  }
  return new Map(Array.from(shared, ([id, ofId]) => [id, sidesOf(id, ofId)]));
}

function sidesOf(id: EntityId, documents: readonly SpanDocument[]): readonly Side[] {
  const { traceId } = documents[0] as SpanDocument;
  const distinct = new Map(
    documents.map((document) => [`${kindOf(document)} ${serviceOf(document)}`, document] as const),
  );
  const ordered = [...distinct.values()]
    .map((document) => ({ kind: kindOf(document), service: serviceOf(document) }))
    .sort((a, b) => RANKS[a.kind] - RANKS[b.kind] || compare(a.service, b.service));
  const server = ordered.find(({ kind }, index) => index > 0 && isReceiving(kind));
  return ordered.map((side, index) => ({
    ...side,
    id:
      index === 0
        ? id
        : side === server
          ? serverSideId(traceId, id)
          : otherSideId(traceId, id, `${side.kind}/${side.service}`),
  }));
}

/**
 * Server sides whose ids the Zipkin receiver derived from the ids of their parents. It knows only the children in the
 * same request; others arrive with the parent's id.
 */
function receivedServerSides(documents: readonly Document[]): SidesById {
  const servers = new Map<string, SpanDocument>();
  for (const document of documents) {
    if (document.format !== 'otlp' || kindOf(document) !== KIND.server) continue;
    const parentId = parentIdOf(document.span.span.parentSpanId);
    if (parentId !== undefined) servers.set(`${parentId} ${serviceOf(document)}`, document);
  }
  const sides = new Map<EntityId, readonly Side[]>();
  if (servers.size === 0) return sides;
  for (const document of documents) {
    if (document.format !== 'otlp' || kindOf(document) === KIND.server) continue;
    const parentId = parentIdOf(document.span.span.parentSpanId);
    const server = servers.get(`${parentId} ${serviceOf(document)}`);
    if (parentId === undefined || server === undefined || sides.has(parentId)) continue;
    if (server.id !== serverSideId(server.traceId, parentId)) continue;
    const side = { kind: KIND.server, service: serviceOf(server), id: server.id };
    sides.set(parentId, [{ kind: KIND.client, service: '', id: parentId }, side]);
  }
  return sides;
}

function separated(document: Document, sides: SidesById): Document {
  switch (document.format) {
    case 'xray':
      return document;
    case 'otlp':
      return separatedSpan(document, sides);
    case 'otlp-log': {
      const id = idOfService(document.id, xrayResourceOf(document.log.resource).serviceName ?? '', sides);
      if (id === document.id) return document;
      return { ...document, id, log: { ...document.log, record: { ...document.log.record, spanId: id } } };
    }
  }
}

function separatedSpan(document: SpanDocument, sides: SidesById): Document {
  const { span } = document.span;
  const ofId = sides.get(document.id) ?? [];
  const service = serviceOf(document);
  const side = ofId.find((one) => one.kind === kindOf(document) && one.service === service) ?? ofId[0];
  const id = side?.id ?? document.id;
  const sentParentId = parentIdOf(span.parentSpanId);
  // Without its calling side, a called service stays below the span that it names as its parent.
  const isReceivingSide =
    id !== document.id && isReceiving(kindOf(document)) && ofId[0] !== undefined && !isReceiving(ofId[0].kind);
  const parentId = isReceivingSide
    ? document.id
    : sentParentId && kindOf(document) !== KIND.server
      ? idOfService(sentParentId, service, sides)
      : sentParentId;
  if (id === document.id && parentId === sentParentId) return document;
  const moved = { ...document.span, span: { ...span, spanId: id, parentSpanId: parentId ?? '' } };
  const { indexed } = document;
  return { ...document, id, span: moved, entities: restoreEntities(moved, { indexed }) };
}

/** The side of the service among those that do not keep the id; the id itself if there is none. */
function idOfService(id: EntityId, service: string, sides: SidesById): EntityId {
  const others = (sides.get(id) ?? []).slice(1).filter((side) => side.service === service);
  return (others.find(({ kind }) => isReceiving(kind)) ?? others[0])?.id ?? id;
}

function isSameSide(a: SpanDocument, b: SpanDocument): boolean {
  return kindOf(a) === kindOf(b) && serviceOf(a) === serviceOf(b);
}

/** A span without a kind is work inside the process. */
function kindOf({ span: { span } }: SpanDocument): Kind {
  const { kind } = span;
  return kind !== undefined && kind in RANKS && kind !== KIND.unspecified ? (kind as Kind) : KIND.internal;
}

function isReceiving(kind: number): boolean {
  return kind === KIND.server || kind === KIND.consumer;
}

/** The side with the lowest rank keeps the id: callers, then work inside a process, then called services. */
const RANKS = { [KIND.client]: 0, [KIND.producer]: 1, [KIND.internal]: 2, [KIND.consumer]: 3, [KIND.server]: 4 };
type Kind = keyof typeof RANKS;

function serviceOf({ span: { resource } }: SpanDocument): string {
  return xrayResourceOf(resource).serviceName ?? '';
}

/** By code unit: the order of a locale depends on the machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
