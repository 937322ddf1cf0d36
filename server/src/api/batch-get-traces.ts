import { z } from 'zod';
import { OpenrayError } from '../errors.ts';
import { traceDurationUs } from '../model/duration.ts';
import type { JsonObject } from '../model/json.ts';
import { documentText, orphanDocuments, processedDocuments } from '../model/processed-document.ts';
import type { Trace } from '../model/trace.ts';
import { formatTraceId } from '../model/trace-id.ts';
import { loadTraces } from '../query/load-traces.ts';
import { operation, optional, traceId } from './operation.ts';
import type { BatchGetTracesResponse, WireTrace } from './types.ts';
import { toSeconds } from './wire.ts';

const MAX_TRACES = 5;

/**
 * BatchGetTraces: the documents of known traces, subsegments nested, inferred segments added.
 * Unknown ids are left out of the answer, as X-Ray does.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
 */
export const batchGetTraces = operation({
  name: 'BatchGetTraces',
  path: '/Traces',
  input: z.object({ TraceIds: z.array(traceId), NextToken: optional(z.string()) }),
  async run({ TraceIds: ids, NextToken: token }, { store, signal, onIncomplete }): Promise<BatchGetTracesResponse> {
    if (token !== undefined) {
      throw new OpenrayError('InvalidRequestException', 'NextToken is currently not supported');
    }
    if (ids.length > MAX_TRACES) {
      throw new OpenrayError('InvalidRequestException', `Exceeding maximum query size: ${MAX_TRACES}`);
    }
    if (new Set(ids).size < ids.length) {
      throw new OpenrayError('InvalidRequestException', 'Containing duplicate trace ids');
    }
    const traces = await loadTraces(store, ids, { signal, onIncomplete });
    return { Traces: traces.map(toWireTrace), UnprocessedTraceIds: [], NextToken: null };
  },
});

function toWireTrace(trace: Trace): WireTrace {
  const toDocument = ({ id, document }: { id: string; document: JsonObject }) => ({
    Id: id,
    Document: documentText(document),
  });
  return {
    Id: formatTraceId(trace.id),
    Duration: toSeconds(traceDurationUs(trace)),
    LimitExceeded: false,
    Segments: processedDocuments(trace).map(toDocument),
    Orphans: orphanDocuments(trace).map(toDocument),
  };
}
