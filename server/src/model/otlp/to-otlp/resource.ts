import type { JsonObject } from '../../json.ts';
import { isJsonObject, readObject, readText } from '../../json.ts';
import type { Resource } from '../../otlp-messages.ts';
import { type AttributeList, newAttributes } from './attribute-list.ts';

const PLATFORMS: Readonly<Record<string, readonly [platform: string, launchType?: string]>> = {
  'AWS::EC2::Instance': ['aws_ec2'],
  'AWS::ECS::EC2': ['aws_ecs', 'ec2'],
  'AWS::ECS::Fargate': ['aws_ecs', 'fargate'],
  'AWS::ECS::Container': ['aws_ecs'],
  'AWS::EKS::Container': ['aws_eks'],
  'AWS::ElasticBeanstalk::Environment': ['aws_elastic_beanstalk'],
  'AWS::AppRunner::Service': ['aws_app_runner'],
  'AWS::Lambda::Function': ['aws_lambda'],
};

const RESOURCE_PREFIX = 'otel.resource.';

/** The resource in a segment's fields; for a segment that was made from a span, the resource in its metadata. */
export function resourceOf(segment: JsonObject, isFromSpan: boolean): Resource {
  if (isFromSpan) return { attributes: nonEmpty(attributesFromMetadata(segment)) };
  const attributes = newAttributes();
  const aws = readObject(segment.aws);
  const [platform, launchType] = PLATFORMS[readText(segment.origin) ?? ''] ?? [];
  attributes.add('service.name', readText(segment.name));
  attributes.add('cloud.provider', aws === undefined ? undefined : 'aws');
  attributes.add('cloud.platform', platform);
  const service = readObject(segment.service);
  attributes.add('service.version', readText(service?.version));
  if (aws !== undefined && segment.type !== 'subsegment') {
    attributes.add('cloud.account.id', readText(aws.account_id));
    addAwsResource(attributes, aws, launchType);
  }
  attributes.add('process.runtime.name', readText(service?.runtime));
  attributes.add('process.runtime.version', readText(service?.runtime_version));
  return { attributes: nonEmpty(attributes.list()) };
}

function addAwsResource(attributes: AttributeList, aws: JsonObject, launchType: string | undefined): void {
  const ec2 = readObject(aws.ec2);
  attributes.add('host.id', readText(ec2?.instance_id));
  attributes.add('cloud.availability_zone', readText(ec2?.availability_zone));
  attributes.add('host.type', readText(ec2?.instance_size));
  attributes.add('host.image.id', readText(ec2?.ami_id));
  const ecs = readObject(aws.ecs);
  attributes.add('container.name', readText(ecs?.container));
  attributes.add('container.id', readText(ecs?.container_id));
  attributes.add('cloud.availability_zone', readText(ecs?.availability_zone));
  attributes.add('aws.ecs.container.arn', readText(ecs?.container_arn));
  attributes.add('aws.ecs.cluster.arn', readText(ecs?.cluster_arn));
  attributes.add('aws.ecs.task.arn', readText(ecs?.task_arn));
  attributes.add('aws.ecs.task.family', readText(ecs?.task_family));
  attributes.add('aws.ecs.launchtype', readText(ecs?.launch_type) ?? launchType);
  const eks = readObject(aws.eks);
  attributes.add('k8s.cluster.name', readText(eks?.cluster_name));
  attributes.add('k8s.pod.name', readText(eks?.pod));
  attributes.add('container.id', readText(eks?.container_id));
  const beanstalk = readObject(aws.elastic_beanstalk);
  attributes.add('service.namespace', readText(beanstalk?.environment_name));
  const deployment = beanstalk?.deployment_id;
  attributes.add('service.instance.id', typeof deployment === 'number' ? String(deployment) : undefined);
  attributes.add('service.version', readText(beanstalk?.version_label));
  addLogs(attributes, aws);
  const xray = readObject(aws.xray);
  const [name, language] = (readText(xray?.sdk) ?? '').split(' for ');
  attributes.add('telemetry.sdk.name', name === '' ? undefined : name);
  attributes.add('telemetry.sdk.language', language);
  attributes.add('telemetry.sdk.version', readText(xray?.sdk_version));
}

function addLogs(attributes: AttributeList, { cloudwatch_logs: logs }: JsonObject): void {
  const groups = Array.isArray(logs) ? logs.filter(isJsonObject) : [];
  const arns = groups.flatMap(({ arn }) => readText(arn) ?? []);
  const names = groups.flatMap((group) => readText(group.log_group) ?? []);
  if (arns.length > 0) attributes.add('aws.log.group.arns', arns);
  else if (names.length > 0) attributes.add('aws.log.group.names', names);
}

function attributesFromMetadata(segment: JsonObject) {
  const attributes = newAttributes();
  const metadata = readObject(readObject(segment.metadata)?.default) ?? {};
  for (const [key, value] of Object.entries(metadata)) {
    if (key.startsWith(RESOURCE_PREFIX)) attributes.add(key.slice(RESOURCE_PREFIX.length), value);
  }
  return attributes.list();
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}
