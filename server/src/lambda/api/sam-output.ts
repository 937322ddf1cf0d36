import type { InvokeResult } from '../invoke/lambda-service.ts';

/** What a command prints about one invocation. */
export type Output = { readonly stdout: string; readonly stderr: string };

export type OutputFormat = 'text' | 'json';

/**
 * As `sam remote invoke` prints it. Text: the log on stderr, then the payload on stdout, as it is and without a final
 * line end. JSON: the whole answer of the Invoke API on stdout, the payload as text, the log's tail still in base64.
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
