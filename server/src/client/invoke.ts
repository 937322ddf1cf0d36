import { OpenrayError } from '../errors.ts';
import type { InvocationType, InvokeResult } from '../lambda/spec/lambda-client.ts';
import { parseTraceHeader } from '../model/trace-header.ts';

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
 * Invokes a function of a running openray through the Invoke API.
 * Throws what the service refused, in its own words; a failing function is a result.
 */
export async function invokeRemote(invocation: RemoteInvocation): Promise<InvokeResult> {
  const {
    endpointUrl,
    functionName,
    payload,
    invocationType,
    qualifier,
    clientContext,
    traceHeader: sent,
  } = invocation;
  const url = new URL(`/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`, endpointUrl);
  if (qualifier !== undefined) url.searchParams.set('Qualifier', qualifier);
  const headers = new Headers({ 'x-amz-invocation-type': invocationType, 'x-amz-log-type': 'Tail' });
  if (clientContext !== undefined) headers.set('x-amz-client-context', Buffer.from(clientContext).toString('base64'));
  if (sent !== undefined) headers.set('x-amzn-trace-id', sent);
  const answer = await send(url, headers, payload);
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status >= 300) throw responseError(answer, body);
  const traceHeader = answer.headers.get('x-amzn-trace-id') ?? '';
  const { root, sampled } = parseTraceHeader(traceHeader);
  const logTail = Buffer.from(answer.headers.get('x-amz-log-result') ?? '', 'base64').toString();
  return {
    requestId: answer.headers.get('x-amzn-requestid') ?? '',
    statusCode: answer.status as InvokeResult['statusCode'],
    payload: body,
    functionError: answer.headers.has('x-amz-function-error') ? 'Unhandled' : undefined,
    log: logTail,
    logTail,
    traceHeader,
    traceId: root as InvokeResult['traceId'],
    segmentId: undefined,
    isSampled: sampled === '1',
    executedVersion: '$LATEST',
  };
}

async function send(url: URL, headers: Headers, payload: Buffer): Promise<Response> {
  try {
    return await fetch(url, { method: 'POST', headers, body: new Uint8Array(payload) });
  } catch (cause) {
    const sentence = `nothing answers at ${url.origin}; start a server with 'openray serve --template template.yaml'`;
    throw new OpenrayError('ServiceUnavailable', sentence, { cause });
  }
}

function responseError(answer: Response, body: Buffer): OpenrayError {
  const type = answer.headers.get('x-amzn-errortype') ?? `status ${answer.status}`;
  let message = body.toString();
  try {
    const { Message, message: lower } = JSON.parse(message) as { Message?: string; message?: string };
    message = Message ?? lower ?? message;
  } catch {
    // Not JSON: shown as it came.
  }
  return new OpenrayError('InvalidRequestException', `${type}: ${message}`);
}
