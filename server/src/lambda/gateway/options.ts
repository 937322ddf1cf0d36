import type { LambdaService } from '../spec/lambda-client.ts';
import type { SegmentSender } from '../tracing/segment-sender.ts';

export type GatewayOptions = {
  readonly lambda: LambdaService;
  readonly sender: SegmentSender;
  readonly accountId: string;
  readonly region: string;
  /** Samples a request without a decision of its caller. */
  readonly sample: () => boolean;
  /** Authorizers are called unless this is false. */
  readonly callsAuthorizers?: boolean;
  /** Unless this is false, a function that takes longer than API Gateway waits is a timeout. False in a debugger. */
  readonly hasTimeouts?: boolean;
};
