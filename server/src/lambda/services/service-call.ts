/** A call of SQS, SNS or EventBridge. */
export type ServiceRequest = {
  /** From the header `X-Amz-Target`; empty for SNS, which has it in the body. */
  readonly operation: string;
  readonly body: string;
  /** `X-Amzn-Trace-Id`, which SDKs inside of functions send with each call. */
  readonly traceHeader: string | undefined;
  /** `http://host:port` of this server as the client knows it, for URLs of queues; undefined when it is not known. */
  readonly origin: string | undefined;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
};
