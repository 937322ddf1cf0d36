import type { Config } from '../config.ts';
import type { FunctionSpec } from '../lambda/spec/function-spec.ts';
import type { InvokeResult } from '../lambda/spec/lambda-client.ts';

/** Says why an invocation left no trace, and what to do; undefined when it left one, or did not run. */
export function traceHint(
  { segmentId, statusCode }: Pick<InvokeResult, 'segmentId' | 'statusCode'>,
  { logicalId, tracing }: Pick<FunctionSpec, 'logicalId' | 'tracing'>,
  config: Pick<Config, 'tracing' | 'lambdaSampling'>,
): string | undefined {
  if (segmentId !== undefined || statusCode === 204) return undefined;
  if (tracing === 'Active') return `No trace: --lambda-sampling ${config.lambdaSampling} left this invocation out.`;
  if (config.tracing === 'passthrough') return 'No trace: --tracing passthrough leaves the decision to the caller.';
  return `No trace: the template sets no "Tracing: Active" for ${logicalId}. To see one, add --tracing active.`;
}
