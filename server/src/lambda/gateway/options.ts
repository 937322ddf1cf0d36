import type { LambdaService } from '../spec/lambda-client.ts';
import type { SegmentSender } from '../tracing/segment-sender.ts';

/** A request or the result of a function that the gateway did not pass on, or not as the function meant it. */
export type GatewayRefusal = {
  /** `GET /users/{id}` */
  readonly route: string;
  readonly functionName: string;
  /** Of the response that the client got. */
  readonly status: number;
  readonly reason: string;
};

export type GatewayOptions = {
  readonly lambda: LambdaService;
  readonly sender: SegmentSender;
  readonly accountId: string;
  readonly region: string;
  /** Samples a request without a decision of its caller. */
  readonly sample: () => boolean;
  /** The client learns only the status, as on AWS; this is for the log. */
  readonly onRefusal?: (refusal: GatewayRefusal) => void;
  /** Authorizers are called unless this is false. */
  readonly callsAuthorizers?: boolean;
  /** Unless this is false, a function that takes longer than API Gateway waits is a timeout. False in a debugger. */
  readonly hasTimeouts?: boolean;
};
