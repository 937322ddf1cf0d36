import type {
  BatchGetTracesRequest,
  BatchGetTracesResponse,
  GetFunctionLogsRequest,
  GetFunctionLogsResponse,
  GetGroupsResponse,
  GetServerStatusResponse,
  GetServiceGraphRequest,
  GetServiceGraphResponse,
  GetSpanRequest,
  GetSpanResponse,
  GetTimeSeriesServiceStatisticsRequest,
  GetTimeSeriesServiceStatisticsResponse,
  GetTraceGraphRequest,
  GetTraceGraphResponse,
  GetTraceSummariesRequest,
  GetTraceSummariesResponse,
  GetTraceSummaryRequest,
  GetTraceSummaryResponse,
  GroupRequest,
  WireError,
} from 'openray/api-types';
import type { TimeInterval } from 'openray/model';
import { parseJson, usToSeconds } from 'openray/model';
import { nowUs, windowOf } from './time-range.ts';

/** An error response; its code is `Unreachable` when there was no response. `message` is a sentence for the page. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

/**
 * `IsIncomplete`: data of a shard that could not be reached, or of the newest documents, is missing in the response.
 * `IsDamaged`: so is data that the store cannot read any more.
 */
export type ApiResponse<Body> = Body & { readonly IsIncomplete: boolean; readonly IsDamaged: boolean };

export type Health = { readonly status: string; readonly version: string };

export function getServiceGraph(
  request: GetServiceGraphRequest,
  signal: AbortSignal,
): Promise<ApiResponse<GetServiceGraphResponse>> {
  return call('/ServiceGraph', request, signal);
}

export function getTraceSummaries(
  request: GetTraceSummariesRequest,
  signal: AbortSignal,
): Promise<ApiResponse<GetTraceSummariesResponse>> {
  return call('/TraceSummaries', request, signal);
}

export function getTraceSummary(
  request: GetTraceSummaryRequest,
  signal: AbortSignal,
): Promise<ApiResponse<GetTraceSummaryResponse>> {
  return call('/TraceSummary', request, signal);
}

export function batchGetTraces(
  request: BatchGetTracesRequest,
  signal: AbortSignal,
): Promise<ApiResponse<BatchGetTracesResponse>> {
  return call('/Traces', request, signal);
}

export function getTraceGraph(
  request: GetTraceGraphRequest,
  signal: AbortSignal,
): Promise<ApiResponse<GetTraceGraphResponse>> {
  return call('/TraceGraph', request, signal);
}

export function getFunctionLogs(
  request: GetFunctionLogsRequest,
  signal: AbortSignal,
): Promise<ApiResponse<GetFunctionLogsResponse>> {
  return call('/GetFunctionLogs', request, signal);
}

export function getTimeSeries(
  request: GetTimeSeriesServiceStatisticsRequest,
  signal: AbortSignal,
): Promise<ApiResponse<GetTimeSeriesServiceStatisticsResponse>> {
  return call('/TimeSeriesServiceStatistics', request, signal);
}

export function getSpan(request: GetSpanRequest, signal: AbortSignal): Promise<ApiResponse<GetSpanResponse>> {
  return call('/Span', request, signal);
}

export function getGroups(signal: AbortSignal): Promise<ApiResponse<GetGroupsResponse>> {
  return call('/Groups', {}, signal);
}

export function createGroup(request: GroupRequest): Promise<object> {
  return call('/CreateGroup', request);
}

export function updateGroup(request: GroupRequest): Promise<object> {
  return call('/UpdateGroup', request);
}

export function deleteGroup(name: string): Promise<object> {
  return call('/DeleteGroup', { GroupName: name });
}

export function getServerStatus(signal: AbortSignal): Promise<ApiResponse<GetServerStatusResponse>> {
  return call('/ServerStatus', {}, signal);
}

export async function getHealth(signal: AbortSignal): Promise<Health> {
  return readBody<Health>(await fetchOrFail('/health', { signal }));
}

/** Start and end of a range of the URL at this moment, in epoch seconds as the API reads them. */
export function wireWindow(range: string): { readonly StartTime: number; readonly EndTime: number } {
  return toWireWindow(windowOf(range, nowUs()));
}

export function toWireWindow({ fromUs, toUs }: TimeInterval): { readonly StartTime: number; readonly EndTime: number } {
  return { StartTime: usToSeconds(fromUs), EndTime: usToSeconds(toUs) };
}

async function call<Body>(
  path: string,
  request: object,
  signal: AbortSignal | null = null,
): Promise<ApiResponse<Body>> {
  const headers = { 'content-type': 'application/json', 'x-openray-extensions': '1' };
  const response = await fetchOrFail(path, { method: 'POST', headers, body: JSON.stringify(request), signal });
  const body = await readBody<Body>(response);
  const reasons = response.headers.get('x-openray-incomplete') ?? '';
  return { ...body, IsIncomplete: reasons.includes('shard'), IsDamaged: reasons.includes('damaged') };
}

async function fetchOrFail(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiFailure('Unreachable', 0, 'The openray server does not answer.', { cause });
  }
}

async function readBody<Body>(response: Response): Promise<Body> {
  if (response.ok) return parseJson(await response.text()) as Body;
  const error = (await response.json().catch(() => ({}))) as Partial<WireError>;
  const code = response.headers.get('x-amzn-errortype') ?? error.__type ?? 'InternalFailure';
  throw new ApiFailure(code, response.status, error.Message ?? `The server answered with status ${response.status}.`);
}
