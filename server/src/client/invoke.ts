import { OpenrayError } from '../errors.ts';
import type { InvocationType, InvokeResult } from '../lambda/spec/lambda-client.ts';
import { parseTraceHeader } from '../model/trace-header.ts';
import type { TraceId } from '../model/trace-id.ts';

export type RemoteInvocation = {
  readonly endpointUrl: string;
  readonly functionName: string;
  readonly payload: Buffer;
  readonly invocationType: InvocationType;
  readonly qualifier: string | undefined;
  readonly clientContext: string | undefined;
  /** `X-Amzn-Trace-Id` to send. */
  readonly traceHeader?: string | undefined;
};

/**
 * Invokes a function of a running server through the Invoke API. It returns the last 4 KB of the log and no id of a
 * segment.
 * Throws InvalidRequestException with the server's own message when it refuses the call; a failing function is a
 * result.
 */
export async function invokeRemote(invocation: RemoteInvocation): Promise<InvokeResult> {
  const {
    endpointUrl,
    functionName,
    payload,
    invocationType,
    qualifier,
    clientContext,
    traceHeader: sentHeader,
  } = invocation;
  const url = new URL(`/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`, endpointUrl);
  if (qualifier !== undefined) url.searchParams.set('Qualifier', qualifier);
  const headers = new Headers({ 'x-amz-invocation-type': invocationType, 'x-amz-log-type': 'Tail' });
  if (clientContext !== undefined) headers.set('x-amz-client-context', Buffer.from(clientContext).toString('base64'));
  if (sentHeader !== undefined) headers.set('x-amzn-trace-id', sentHeader);
  const response = await send(url, headers, payload);
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status >= 300) throw responseError(response, body);
  const traceHeader = response.headers.get('x-amzn-trace-id') ?? '';
  const { root, sampled } = parseTraceHeader(traceHeader);
  const logTail = Buffer.from(response.headers.get('x-amz-log-result') ?? '', 'base64').toString();
  return {
    requestId: response.headers.get('x-amzn-requestid') ?? '',
    statusCode: response.status as InvokeResult['statusCode'],
    payload: body,
    functionError: response.headers.has('x-amz-function-error') ? 'Unhandled' : undefined,
    log: logTail,
    logTail,
    traceHeader,
    traceId: root as TraceId,
    segmentId: undefined,
    isSampled: sampled === '1',
    executedVersion: '$LATEST',
  };
}

async function send(url: URL, headers: Headers, payload: Buffer): Promise<Response> {
  try {
    return await fetch(url, { method: 'POST', headers, body: new Uint8Array(payload) });
  } catch (cause) {
    const sentence = `there is no server at ${url.origin}; start a server with 'openray serve --template template.yaml'`;
    throw new OpenrayError('ServiceUnavailable', sentence, { cause });
  }
}

function responseError(response: Response, body: Buffer): OpenrayError {
  const type = response.headers.get('x-amzn-errortype') ?? `status ${response.status}`;
  let message = body.toString();
  try {
    const { Message, message: lower } = JSON.parse(message) as { Message?: string; message?: string };
    message = Message ?? lower ?? message;
  } catch {
    // Not JSON: the message is the whole body.
  }
  return new OpenrayError('InvalidRequestException', `${type}: ${message}`);
}
