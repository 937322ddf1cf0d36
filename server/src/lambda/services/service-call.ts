/** A call of SQS, SNS or EventBridge. */
export type ServiceRequest = {
  /** From the header `X-Amz-Target`; empty for SNS, which has it in the body. */
  readonly operation: string;
  readonly body: string;
  /** `X-Amzn-Trace-Id`, which SDKs inside of functions send with each call. */
  readonly traceHeader: string | undefined;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
};

export type ServiceResponse = { readonly status: number; readonly type: string; readonly body: string };
