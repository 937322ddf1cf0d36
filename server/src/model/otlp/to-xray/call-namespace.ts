import { KIND, type Span } from '../../otlp-messages.ts';
import { type Attributes, firstText } from './attributes.ts';

/** The spellings of SQS and SNS in `messaging.system`, from the oldest convention to the newest. */
const SQS = new Set(['aws_sqs', 'AmazonSQS', 'aws.sqs']);
const SNS = new Set(['aws.sns', 'aws_sns', 'AmazonSNS']);

/** X-Ray's name of the AWS service of a messaging system. */
export function messagingService(attributes: Attributes): 'SQS' | 'SNS' | undefined {
  const system = firstText(attributes, 'messaging.system') ?? '';
  if (SQS.has(system)) return 'SQS';
  return SNS.has(system) ? 'SNS' : undefined;
}

/** Whether the span is a call of an AWS SDK. A consumer that polls a queue this way is a caller, too. */
export function isSdkCall(attributes: Attributes): boolean {
  return firstText(attributes, 'rpc.system.name') === 'aws-api' || firstText(attributes, 'rpc.system') === 'aws-api';
}

/** X-Ray's namespace of a subsegment: the kind of service that it calls; undefined for work inside the process. */
export function namespaceOf({ kind = KIND.unspecified }: Span, attributes: Attributes): 'aws' | 'remote' | undefined {
  const remote = firstText(attributes, 'aws.remote.service');
  const isCaller = kind === KIND.client || kind === KIND.producer;
  if (isSdkCall(attributes) || firstText(attributes, 'aws.service') !== undefined) return 'aws';
  if (remote?.startsWith('AWS::') || remote?.startsWith('AWS.SDK.')) return 'aws';
  if (isCaller) return messagingService(attributes) === undefined ? 'remote' : 'aws';
  return remote !== undefined && kind !== KIND.server ? 'remote' : undefined;
}
