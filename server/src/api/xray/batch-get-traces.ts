import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { clockSkews } from '../../model/clock-skew.ts';
import { traceDurationUs } from '../../model/duration.ts';
import type { Document } from '../../model/entity.ts';
import type { JsonObject } from '../../model/json.ts';
import { sentSpans } from '../../model/otlp/documents/trace-to-spans.ts';
import { nanosToUs } from '../../model/otlp/nanos.ts';
import {
  type ConsumerLinks,
  documentText,
  orphanDocuments,
  processedDocuments,
} from '../../model/processed-document.ts';
import type { Trace } from '../../model/trace.ts';
import { type EntityId, formatTraceId, type TraceId } from '../../model/trace-id.ts';

import { linksTo, type TraceLink } from '../../query/traces/trace-links.ts';
import { loadTraceParts, type PartPosition } from '../../query/traces/trace-parts.ts';
import { optional, toSeconds, traceId } from '../fields.ts';
import { operation } from '../operation.ts';
import { fromToken, toToken } from '../page-token.ts';
import type { BatchGetTracesResponse, WireSpanEvent, WireTrace } from '../types.ts';
import { prunedMember } from './wire.ts';

const MAX_TRACES = 5;

/**
 * BatchGetTraces: the documents of known traces, subsegments nested, inferred segments added.
 * The response leaves out unknown ids, as X-Ray does. Traces that exceed its bounds together take several pages. A trace
 * that exceeds them alone has `LimitExceeded` and comes in parts, which other than in X-Ray continue on the next page.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
 */
export const batchGetTraces = operation({
  name: 'BatchGetTraces',
  path: '/Traces',
  readsDocuments: true,
  input: z.object({ TraceIds: z.array(traceId), NextToken: optional(z.string()) }),
  async run({ TraceIds: ids, NextToken: token }, context): Promise<BatchGetTracesResponse> {
    if (ids.length > MAX_TRACES) {
      throw new OpenrayError('InvalidRequestException', `Exceeding maximum query size: ${MAX_TRACES}`);
    }
    if (new Set(ids).size < ids.length) {
      throw new OpenrayError('InvalidRequestException', 'Containing duplicate trace ids');
    }
    const { store, signal, onIncomplete, hasExtensions } = context;
    const options = { signal, onIncomplete };
    const from = token === undefined ? undefined : positionOf(token, ids);
    const [{ parts, next }, links] = await Promise.all([
      loadTraceParts(store, ids, from, options),
      linksTo(store, ids, options),
    ]);
    return {
      Traces: parts.flatMap(({ documents, trace, isWhole }) => {
        if (trace === undefined) return [];
        const consumers = consumersOf(trace, links);
        return [
          {
            ...toWireTrace(trace, consumers, { isWhole, hasExtensions }),
            ...(hasExtensions && ownMembers(trace, documents, consumers)),
            ...prunedMember(context, trace.startUs),
          },
        ];
      }),
      UnprocessedTraceIds: [],
      NextToken: next === undefined ? null : tokenOf(next, ids),
    };
  },
});

function tokenOf({ traceId: id, afterSeq }: PartPosition, ids: readonly TraceId[]): string {
  return toToken({ part: 'valued', key: afterSeq, traceId: id }, ids);
}

function positionOf(token: string, ids: readonly TraceId[]): PartPosition {
  const { traceId: id, key: afterSeq } = fromToken(token, ids);
  return { traceId: id as TraceId, afterSeq };
}

/** Sorted by time. X-Ray documents have a member for exceptions only, so other events of a span are returned here. */
function spanEventsOf(documents: readonly Document[]): readonly WireSpanEvent[] {
  const hasEvents = documents.some((one) => one.format === 'otlp' && one.span.span.events !== undefined);
  if (!hasEvents) return [];
  return Array.from(sentSpans(documents).values(), ({ span }) =>
    (span.events ?? []).map(({ name = '', timeUnixNano }) => ({
      Id: span.spanId,
      Time: (nanosToUs(timeUnixNano) ?? 0) / 1e6,
      Name: name,
    })),
  )
    .flat()
    .sort((a, b) => a.Time - b.Time);
}

function clockSkewsMember(trace: Trace, documents: readonly Document[]): Pick<WireTrace, 'ClockSkews'> {
  const skews = clockSkews(trace, documents);
  if (skews.length === 0) return {};
  return {
    ClockSkews: skews.map(({ id, parentId, skewUs }) => ({ Id: id, ParentId: parentId, Seconds: skewUs / 1e6 })),
  };
}

/** X-Ray shows a link at both of its ends. */
function consumersOf(trace: Trace, links: readonly TraceLink[]): ConsumerLinks {
  const consumers = new Map<EntityId, { traceId: TraceId; id: EntityId }[]>();
  for (const { fromTraceId, fromId, toTraceId, toId } of links) {
    if (toTraceId !== trace.id) continue;
    const own = consumers.get(toId) ?? [];
    consumers.set(toId, own);
    own.push({ traceId: fromTraceId, id: fromId });
  }
  return consumers;
}

function toWireTrace(
  trace: Trace,
  consumers: ConsumerLinks,
  { isWhole, hasExtensions }: { readonly isWhole: boolean; readonly hasExtensions: boolean },
): WireTrace {
  // The parent of a subsegment may be in another part: then it has no other place in X-Ray's own members.
  const orphans = isWhole || hasExtensions ? [] : orphanDocuments(trace, consumers);
  return {
    Id: formatTraceId(trace.id),
    Duration: toSeconds(traceDurationUs(trace)),
    LimitExceeded: !isWhole,
    Segments: [...processedDocuments(trace, consumers), ...orphans].map(toWireDocument),
  };
}

/** Members of a trace that are openray's own. */
function ownMembers(
  trace: Trace,
  documents: readonly Document[],
  consumers: ConsumerLinks,
): Pick<WireTrace, 'Orphans' | 'Events' | 'ClockSkews'> {
  const events = spanEventsOf(documents);
  return {
    Orphans: orphanDocuments(trace, consumers).map(toWireDocument),
    ...(events.length > 0 && { Events: events }),
    ...clockSkewsMember(trace, documents),
  };
}

function toWireDocument({ id, document }: { id: string; document: JsonObject }): WireTrace['Segments'][number] {
  return { Id: id, Document: documentText(document) };
}
