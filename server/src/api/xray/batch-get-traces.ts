import { z } from 'zod';
import { OpenrayError } from '../../errors.ts';
import { assembleTrace } from '../../model/assemble.ts';
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
import { loadDocuments } from '../../query/traces/load-traces.ts';
import { linksTo, type TraceLink } from '../../query/traces/trace-links.ts';
import { optional, toSeconds, traceId } from '../fields.ts';
import { operation } from '../operation.ts';
import type { BatchGetTracesResponse, WireSpanEvent, WireTrace } from '../types.ts';
import { prunedMember } from './wire.ts';

const MAX_TRACES = 5;

/**
 * BatchGetTraces: the documents of known traces, subsegments nested, inferred segments added.
 * The response leaves out unknown ids, as X-Ray does.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
 */
export const batchGetTraces = operation({
  name: 'BatchGetTraces',
  path: '/Traces',
  readsDocuments: true,
  input: z.object({ TraceIds: z.array(traceId), NextToken: optional(z.string()) }),
  async run({ TraceIds: ids, NextToken: token }, context): Promise<BatchGetTracesResponse> {
    if (token !== undefined) {
      throw new OpenrayError('InvalidRequestException', 'NextToken is currently not supported');
    }
    if (ids.length > MAX_TRACES) {
      throw new OpenrayError('InvalidRequestException', `Exceeding maximum query size: ${MAX_TRACES}`);
    }
    if (new Set(ids).size < ids.length) {
      throw new OpenrayError('InvalidRequestException', 'Containing duplicate trace ids');
    }
    const { store, signal, onIncomplete, hasExtensions } = context;
    const options = { signal, onIncomplete };
    const [documents, links] = await Promise.all([loadDocuments(store, ids, options), linksTo(store, ids, options)]);
    const traces = ids.flatMap((id) => {
      const documentsOfTrace = documents.get(id) ?? [];
      const trace = assembleTrace(documentsOfTrace);
      return trace === undefined ? [] : [{ trace, documents: documentsOfTrace }];
    });
    return {
      Traces: traces.map(({ trace, documents }) => {
        const consumers = consumersOf(trace, links);
        return {
          ...toWireTrace(trace, consumers),
          ...(hasExtensions && ownMembers(trace, documents, consumers)),
          ...prunedMember(context, trace.startUs),
        };
      }),
      UnprocessedTraceIds: [],
      NextToken: null,
    };
  },
});

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

function clockSkewsMember(trace: Trace): Pick<WireTrace, 'ClockSkews'> {
  const skews = clockSkews(trace);
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

function toWireTrace(trace: Trace, consumers: ConsumerLinks): WireTrace {
  return {
    Id: formatTraceId(trace.id),
    Duration: toSeconds(traceDurationUs(trace)),
    LimitExceeded: false,
    Segments: processedDocuments(trace, consumers).map(toWireDocument),
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
    ...clockSkewsMember(trace),
  };
}

function toWireDocument({ id, document }: { id: string; document: JsonObject }): WireTrace['Segments'][number] {
  return { Id: id, Document: documentText(document) };
}
