import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { formatTraceId } from '../../model/trace-id.ts';
import { traceSummary } from '../../query/traces/trace-summaries.ts';
import { traceId } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetTraceSummaryResponse } from '../types.ts';
import { prunedMember, toWireSummary } from '../xray/wire.ts';

/**
 * GetTraceSummary, openray's own: the summary of one trace by its id, as in GetTraceSummaries. Costs one read of
 * the trace's documents by primary key.
 * Throws ResourceNotFoundException when no document of the trace has arrived.
 */
export const getTraceSummary = operation({
  name: 'GetTraceSummary',
  path: '/TraceSummary',
  readsDocuments: true,
  input: z.object({ TraceId: traceId }),
  async run({ TraceId: id }, { store, signal, onIncomplete }): Promise<GetTraceSummaryResponse> {
    const summary = await traceSummary(store, id, { signal, onIncomplete });
    if (summary === undefined) {
      throw new OpenrayError('ResourceNotFoundException', `there is no trace ${formatTraceId(id)}`);
    }
    return {
      TraceSummary: toWireSummary(summary, undefined),
      ...prunedMember({ store, hasExtensions: true }, summary.startUs),
    };
  },
});
