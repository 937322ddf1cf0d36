import type { InvokeResult } from '../spec/lambda-client.ts';

/** Output of a command for one invocation. */
export type Output = { readonly stdout: string; readonly stderr: string };

export type OutputFormat = 'text' | 'json';

/**
 * In the format of `sam remote invoke`. Text: the log on stderr, then the unchanged payload on stdout, without a final
 * line end. JSON: the response of the Invoke API on stdout, with the payload as text and the log's tail in Base64.
 */
export function renderInvocation(result: InvokeResult, format: OutputFormat): Output {
  switch (format) {
    case 'text':
      return { stderr: result.log, stdout: result.payload.toString() };
    case 'json':
      return { stderr: '', stdout: `${JSON.stringify(invokeApiResponse(result), null, 2)}\n` };
  }
}

function invokeApiResponse(result: InvokeResult): object {
  const { requestId, statusCode } = result;
  const ran = statusCode === 200;
  return {
    ResponseMetadata: {
      RequestId: requestId,
      HTTPStatusCode: statusCode,
      HTTPHeaders: { 'x-amzn-requestid': requestId, 'x-amzn-trace-id': result.traceHeader },
      RetryAttempts: 0,
    },
    StatusCode: statusCode,
    ...(result.functionError === undefined ? {} : { FunctionError: result.functionError }),
    ...(ran ? { LogResult: Buffer.from(result.logTail).toString('base64') } : {}),
    ...(ran ? { ExecutedVersion: result.executedVersion } : {}),
    Payload: result.payload.toString(),
  };
}
