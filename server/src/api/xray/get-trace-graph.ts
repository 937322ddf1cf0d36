import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import type { TraceGraph } from '../../model/graph.ts';
import { serviceGraph } from '../../model/service-graph.ts';
import { traceGraph } from '../../model/trace-graph.ts';
import { linkGraphs } from '../../query/service-graph/link-graphs.ts';
import { assembledTraces, documentGroups } from '../../query/traces/load-traces.ts';
import { optional, traceId } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetTraceGraphResponse } from '../types.ts';
import { toWireServices } from './wire.ts';

const MAX_TRACES = 100;

/**
 * GetTraceGraph: the service graph of given traces, with links to the producers of their messages. X-Ray accepts
 * one trace; several are added up.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetTraceGraph.html
 */
export const getTraceGraph = operation({
  name: 'GetTraceGraph',
  path: '/TraceGraph',
  readsDocuments: true,
  input: z.object({ TraceIds: z.array(traceId).max(MAX_TRACES), NextToken: optional(z.string()) }),
  async run({ TraceIds: ids, NextToken: token }, { store, signal, onIncomplete }): Promise<GetTraceGraphResponse> {
    if (token !== undefined) {
      throw new OpenrayError('InvalidRequestException', 'NextToken is currently not supported');
    }
    if (ids.length === 0) throw new OpenrayError('InvalidRequestException', 'Zero trace ids provided');
    const graphs: TraceGraph[] = [];
    for await (const group of documentGroups(store, [...new Set(ids)], { signal, onIncomplete })) {
      const traces = assembledTraces(group);
      graphs.push(...traces.map(traceGraph));
      graphs.push(...(await linkGraphs(store, traces, () => true, { signal, onIncomplete })));
    }
    if (graphs.length === 0) throw new OpenrayError('InvalidRequestException', 'Trace id not found');
    return { Services: toWireServices(serviceGraph(graphs), 'without-times'), NextToken: null };
  },
});
