import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { resourceSpansOf } from '../../model/otlp/wire/resource-spans.ts';
import { formatTraceId, readEntityId } from '../../model/trace-id.ts';
import { loadSpan } from '../../query/traces/trace-spans.ts';
import { traceId } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetSpanResponse } from '../types.ts';

/**
 * GetSpan, openray's own: a segment or subsegment as an OpenTelemetry span. A received span is returned unchanged.
 * Throws ResourceNotFoundException when there is no such span.
 */
export const getSpan = operation({
  name: 'GetSpan',
  path: '/Span',
  readsDocuments: true,
  input: z.object({ TraceId: traceId, Id: z.string() }),
  async run({ TraceId: trace, Id: text }, { store, signal, onIncomplete }): Promise<GetSpanResponse> {
    const id = readEntityId(text);
    if (id === undefined) throw new OpenrayError('InvalidRequestException', 'Id must be 16 hex digits');
    const found = await loadSpan(store, trace, id, { signal, onIncomplete });
    if (found === undefined) {
      throw new OpenrayError('ResourceNotFoundException', `there is no span ${id} in trace ${formatTraceId(trace)}`);
    }
    return {
      SentAs: found.isReceived ? 'otlp' : 'xray',
      ResourceSpans: resourceSpansOf([found.spanWithResource]),
      LogRecords: found.records.map(({ record }) => record),
    };
  },
});
