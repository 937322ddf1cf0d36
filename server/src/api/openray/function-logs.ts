import * as z from 'zod';
import { type LogEvent, levelOf, metricsOf } from '../../model/log-event.ts';
import { splitAfter } from '../../model/time-interval.ts';
import { formatTraceId } from '../../model/trace-id.ts';
import { findLogs } from '../../query/function-logs.ts';
import { appendLogs } from '../../store/function-logs.ts';
import { epochSeconds, optional, toSeconds, traceId } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetFunctionLogsResponse, WireLogEvent } from '../types.ts';

const EVENTS_MAX = 10_000;
const DEFAULT_LIMIT = 1000;

/** PutFunctionLogs, openray's own: stores log events of local functions. */
export const putFunctionLogs = operation({
  name: 'PutFunctionLogs',
  path: '/FunctionLogs',
  input: z.object({
    Events: z
      .array(
        z.object({
          FunctionName: z.string(),
          /** Microseconds: seconds as a floating-point number would lose the order of events. */
          AtUs: z.number().int().positive(),
          TraceId: optional(traceId),
          RequestId: optional(z.string()),
          LogGroup: z.string(),
          LogStream: z.string(),
          Source: z.enum(['platform', 'function', 'extension']),
          Text: z.string(),
        }),
      )
      .max(EVENTS_MAX),
  }),
  async run({ Events: events }, { store }) {
    const rows = events.map(
      (event): LogEvent => ({
        functionName: event.FunctionName,
        atUs: event.AtUs,
        traceId: event.TraceId,
        requestId: event.RequestId,
        logGroup: event.LogGroup,
        logStream: event.LogStream,
        source: event.Source,
        level: levelOf(event.Text),
        text: event.Text,
      }),
    );
    await appendLogs(store, rows);
    return {};
  },
});

/** GetFunctionLogs, openray's own: log events of a window, of a trace or an invocation, oldest first. */
export const getFunctionLogs = operation({
  name: 'GetFunctionLogs',
  path: '/GetFunctionLogs',
  input: z.object({
    StartTime: optional(epochSeconds),
    EndTime: optional(epochSeconds),
    /** Only events after this `AtUs` of an earlier response. */
    AfterUs: optional(z.number().int()),
    TraceId: optional(traceId),
    RequestId: optional(z.string()),
    FunctionName: optional(z.string()),
    Contains: optional(z.string()),
    Limit: optional(z.number().int().positive().max(EVENTS_MAX)),
  }),
  async run(input, { store, signal }): Promise<GetFunctionLogsResponse> {
    const limit = input.Limit ?? DEFAULT_LIMIT;
    const window = { fromUs: input.StartTime ?? 0, toUs: input.EndTime ?? Number.MAX_SAFE_INTEGER };
    const query = {
      window: input.AfterUs === undefined ? window : splitAfter(window, input.AfterUs)[1],
      traceId: input.TraceId,
      requestId: input.RequestId,
      functionName: input.FunctionName,
      contains: input.Contains,
      limit,
    };
    const events = await findLogs(store, query, { signal });
    return { Events: events.map(toWire), IsComplete: events.length < limit };
  },
});

function toWire(event: LogEvent): WireLogEvent {
  return {
    FunctionName: event.functionName,
    Time: toSeconds(event.atUs),
    AtUs: event.atUs,
    TraceId: event.traceId === undefined ? null : formatTraceId(event.traceId),
    RequestId: event.requestId ?? null,
    LogGroup: event.logGroup,
    LogStream: event.logStream,
    Source: event.source,
    Level: event.level === '' ? null : event.level,
    Text: event.text,
    Metrics: metricsOf(event.text).map(({ namespace, name, unit, values, dimensions }) => ({
      Namespace: namespace,
      Name: name,
      Unit: unit,
      Values: values,
      Dimensions: dimensions,
    })),
  };
}
