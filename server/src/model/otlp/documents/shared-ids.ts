import type { Document, Entity } from '../../entity.ts';
import { KIND } from '../../otlp-messages.ts';
import type { EntityId, TraceId } from '../../trace-id.ts';
import { isXray, type SentDocument, type XrayDocument } from '../../xray-document.ts';
import { restoreEntities } from '../round-trip/restore-entities.ts';
import { parentIdOf } from '../span-ids.ts';
import { otherSideId, serverSideId } from '../to-xray/derived-ids.ts';
import { xrayResourceOf } from '../to-xray/resource.ts';

type SpanDocument = Extract<Document, { format: 'otlp' }>;

/** The spans, segments and subsegments of one id that are versions of one entity. */
type Side = {
  readonly labels: ReadonlySet<string>;
  readonly isReceiving: boolean;
  /** Undefined for a subsegment, since its document need not name its service. */
  readonly service: string | undefined;
  readonly isXray: boolean;
  readonly id: EntityId;
};

/** The sides of each shared id. The first side is the one that keeps the id. */
type SidesById = ReadonlyMap<EntityId, readonly Side[]>;

/**
 * Gives each span, segment and subsegment of a trace an id of its own, subsegments inside of documents included. In
 * Zipkin's model both sides of a call are spans with one id; other senders choose ids badly. The sides may arrive by
 * any protocol, in any order and batch. Those with one id are versions of one entity, unless
 *
 * - spans differ in kind or service,
 * - segments and subsegments differ in kind or name,
 * - a segment or subsegment differs in kind or name from all that the span may become.
 *
 * Then the calling side keeps the id; the called side gets the id that the Zipkin receiver derives, and the calling side
 * as its parent. Spans and log records of its service move below it. Subsegments inside of a document move with it, and
 * subsegments with documents of their own stay with the first side of X-Ray.
 *
 * The result depends only on which documents there are. Unfinished segments and subsegments share no id: they wait for
 * the finished version, of any name. Takes linear time, and returns the same list if no id is shared.
 */
export function separateSharedIds(documents: readonly SentDocument[]): readonly SentDocument[] {
  const sides = sidesOfSharedIds(documents);
  for (const [id, server] of receivedServerSides(documents)) {
    const known = sides.get(id) ?? [{ ...UNKNOWN_CALLER, id }];
    if (known.every((side) => side.id !== server.id)) sides.set(id, [...known, server]);
  }
  return sides.size === 0 ? documents : documents.map((document) => separated(document, sides));
}

/** Each span, and each finished segment and subsegment. */
function forEachHalf(documents: readonly SentDocument[], visit: (half: SpanDocument | Entity) => void): void {
  for (const document of documents) {
    if (document.format === 'otlp') visit(document);
    else if (isXray(document)) for (const entity of document.entities) if (entity.endUs !== undefined) visit(entity);
  }
}

function sidesOfSharedIds(documents: readonly SentDocument[]): Map<EntityId, readonly Side[]> {
  const first = new Map<EntityId, SpanDocument | Entity>();
  const shared = new Map<EntityId, Half[]>();
  forEachHalf(documents, (sent) => {
    const known = first.get(sent.id);
    if (known === undefined) first.set(sent.id, sent);
    else if (!shared.has(sent.id) && !areVersions(known, sent)) shared.set(sent.id, []);
  });
  const sides = new Map<EntityId, readonly Side[]>();
  if (shared.size === 0) return sides;
  forEachHalf(documents, (sent) => shared.get(sent.id)?.push(halfOf(sent)));
  for (const [id, halves] of shared) {
    const merged = mergeVersions(halves);
    if (merged.length === 1) continue;
    const { traceId } = documents[0] as Document;
    const holder = first.get(serverSideId(traceId, id));
    sides.set(id, withIds(merged, traceId, id, holder && halfOf(holder)));
  }
  return sides;
}

/** Never true across protocols, where more than the first of the versions decides. */
function areVersions(a: SpanDocument | Entity, b: SpanDocument | Entity): boolean {
  if (isSpan(a)) return isSpan(b) && kindOf(a) === kindOf(b) && serviceOf(a) === serviceOf(b);
  return !isSpan(b) && a.kind === b.kind && a.name === b.name;
}

const isSpan = (sent: SpanDocument | Entity): sent is SpanDocument => 'format' in sent;

/** What decides the side of a span, a segment or a subsegment. */
type Half = {
  /** Halves with one label are versions of one entity. */
  readonly label: string;
  /** Of a span: the labels of the X-Ray entities that it may become. */
  readonly xrayLabels: readonly string[];
  readonly rank: number;
  readonly service: string | undefined;
  readonly isXray: boolean;
};

function halfOf(sent: SpanDocument | Entity): Half {
  if (isSpan(sent)) {
    const [kind, service] = [kindOf(sent), serviceOf(sent)];
    const xrayLabels = [...sent.entities, ...sent.alternativeEntities()]
      .filter(({ id }) => id === sent.id)
      .map(xrayLabelOf);
    return { label: `${kind}/${service}`, xrayLabels, rank: RANKS[kind], service, isXray: false };
  }
  const isSegment = sent.kind === 'segment';
  const rank = RANKS[isSegment ? KIND.server : KIND.client];
  const service = isSegment ? sent.name : undefined;
  return { label: xrayLabelOf(sent), xrayLabels: [], rank, service, isXray: true };
}

const xrayLabelOf = ({ kind, name }: Entity): string => `${kind}/${name}`;

/** In the order of the sides. The first half of a side decides its rank and label. */
type Versions = readonly [Half, ...Half[]];

function mergeVersions(halves: readonly Half[]): readonly Versions[] {
  const spanLabels = new Map<string, string>();
  const byLabel = new Map<string, [Half, ...Half[]]>();
  // All spans before X-Ray's entities, which look for theirs.
  for (const half of halves.toSorted((a, b) => Number(a.isXray) - Number(b.isXray) || bySide(a, b))) {
    for (const label of half.xrayLabels) if (!spanLabels.has(label)) spanLabels.set(label, half.label);
    const label = half.isXray ? (spanLabels.get(half.label) ?? half.label) : half.label;
    const known = byLabel.get(label);
    if (known === undefined) byLabel.set(label, [half]);
    else known.push(half);
  }
  return [...byLabel.values()].sort(([a], [b]) => bySide(a, b));
}

/** Of one rank spans come first, since they are to stay as they were received. Then labels decide. */
function bySide(a: Half, b: Half): number {
  return a.rank - b.rank || Number(a.isXray) - Number(b.isXray) || byCodeUnit(a.label, b.label);
}

/** `holder` has the derived id already: a server side that arrived by Zipkin, which another service may be, too. */
function withIds(
  sides: readonly Versions[],
  traceId: TraceId,
  id: EntityId,
  holder: Half | undefined,
): readonly Side[] {
  const server = sides.find(
    ([{ rank, service }], index) =>
      index > 0 &&
      isReceiving(rank) &&
      (holder === undefined || (isReceiving(holder.rank) && holder.service === service)),
  );
  const [keeper] = sides;
  return sides.map((side) => {
    const [{ label, rank, service }] = side;
    return {
      labels: new Set(side.map((half) => half.label)),
      isReceiving: isReceiving(rank),
      service,
      isXray: side.some(({ isXray }) => isXray),
      id: side === keeper ? id : side === server ? serverSideId(traceId, id) : otherSideId(traceId, id, label),
    };
  });
}

const UNKNOWN_CALLER = { labels: new Set<string>(), isReceiving: false, service: undefined, isXray: false };

/**
 * Server sides whose ids the Zipkin receiver derived from the ids of their parents, by these. It knows only the children
 * in the same request; others arrive with the parent's id.
 */
function receivedServerSides(documents: readonly SentDocument[]): ReadonlyMap<EntityId, Side> {
  const servers = new Map<string, SpanDocument>();
  for (const document of documents) {
    if (document.format !== 'otlp' || kindOf(document) !== KIND.server) continue;
    const parentId = parentIdOf(document.span.span.parentSpanId);
    if (parentId !== undefined) servers.set(`${parentId} ${serviceOf(document)}`, document);
  }
  const sides = new Map<EntityId, Side>();
  if (servers.size === 0) return sides;
  for (const document of documents) {
    if (document.format !== 'otlp' || kindOf(document) === KIND.server) continue;
    const parentId = parentIdOf(document.span.span.parentSpanId);
    const server = servers.get(`${parentId} ${serviceOf(document)}`);
    if (parentId === undefined || server === undefined || sides.has(parentId)) continue;
    if (server.id !== serverSideId(server.traceId, parentId)) continue;
    const service = serviceOf(server);
    sides.set(parentId, { labels: new Set(), isReceiving: true, service, isXray: false, id: server.id });
  }
  return sides;
}

function separated(document: SentDocument, sides: SidesById): SentDocument {
  switch (document.format) {
    case 'xray':
    case 'lean-segment':
      return separatedEntities(document, sides);
    case 'otlp':
      return separatedSpan(document, sides);
    case 'otlp-log': {
      const id = idOfService(document.id, xrayResourceOf(document.log.resource).serviceName ?? '', sides);
      if (id === document.id) return document;
      return { ...document, id, log: { ...document.log, record: { ...document.log.record, spanId: id } } };
    }
  }
}

function separatedEntities(document: XrayDocument, sides: SidesById): SentDocument {
  const moved = new Map<EntityId, EntityId>();
  const entities = document.entities.map((entity, index): Entity => {
    const side = sideOf(entity.id, xrayLabelOf(entity), sides);
    const id = side?.id ?? entity.id;
    // Entities inside of a document come after the one around them.
    const parentId =
      index > 0 ? (moved.get(entity.parentId as EntityId) ?? entity.parentId) : parentOfTop(entity, side, sides);
    if (id === entity.id && parentId === entity.parentId) return entity;
    moved.set(entity.id, id);
    const isNamed = index === 0 && parentId !== undefined;
    return { ...entity, id, parentId, fields: { ...entity.fields, id, ...(isNamed && { parent_id: parentId }) } };
  });
  return { ...document, id: entities[0]?.id ?? document.id, entities };
}

function parentOfTop({ id, kind, parentId }: Entity, side: Side | undefined, sides: SidesById): EntityId | undefined {
  if (isCalled(side, id, sides)) return id;
  if (kind === 'segment' || parentId === undefined) return parentId;
  return sides.get(parentId)?.find(({ isXray }) => isXray)?.id ?? parentId;
}

function sideOf(id: EntityId, label: string, sides: SidesById): Side | undefined {
  return sides.get(id)?.find(({ labels }) => labels.has(label));
}

/** Whether the side moves below the one that keeps the id. Without its calling side, a called service stays in place. */
function isCalled(side: Side | undefined, sharedId: EntityId, sides: SidesById): boolean {
  if (side === undefined || side.id === sharedId || !side.isReceiving) return false;
  return sides.get(sharedId)?.[0]?.isReceiving === false;
}

function separatedSpan(document: SpanDocument, sides: SidesById): Document {
  const { span } = document.span;
  const service = serviceOf(document);
  const side = sideOf(document.id, `${kindOf(document)}/${service}`, sides);
  const id = side?.id ?? document.id;
  const sentParentId = parentIdOf(span.parentSpanId);
  const parentId = isCalled(side, document.id, sides)
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
  return (others.find(({ isReceiving }) => isReceiving) ?? others[0])?.id ?? id;
}

/** A span without a kind is work inside the process. */
function kindOf({ span: { span } }: SpanDocument): Kind {
  const { kind } = span;
  return kind !== undefined && kind in RANKS && kind !== KIND.unspecified ? (kind as Kind) : KIND.internal;
}

/** The side with the lowest rank keeps the id: callers, then work inside a process, then called services. */
const RANKS = { [KIND.client]: 0, [KIND.producer]: 1, [KIND.internal]: 2, [KIND.consumer]: 3, [KIND.server]: 4 };
type Kind = keyof typeof RANKS;

const isReceiving = (rank: number): boolean => rank >= RANKS[KIND.consumer];

function serviceOf({ span: { resource } }: SpanDocument): string {
  return xrayResourceOf(resource).serviceName ?? '';
}

/** By code unit: the order of a locale depends on the machine. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
