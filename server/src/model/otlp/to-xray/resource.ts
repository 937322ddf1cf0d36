import type { JsonObject, JsonValue } from '../../json.ts';
import type { Resource } from '../types.ts';
import { type Attributes, attributesOf, plainObject, text, texts } from './attributes.ts';

/** What a resource says about the place in which its spans ran, in X-Ray's words. */
export type ResourceView = {
  readonly attributes: Attributes;
  readonly serviceName: string | undefined;
  /** The instance of the service, to tell two processes with one name apart. */
  readonly instanceId: string | undefined;
  readonly language: string | undefined;
  readonly origin: string | undefined;
  readonly resourceArn: string | undefined;
  /** Members of `aws` that describe where the code ran. */
  readonly aws: JsonObject | undefined;
  readonly service: JsonObject | undefined;
  /** Every attribute, as metadata of segments. */
  readonly metadata: JsonObject;
};

const views = new WeakMap<Resource, ResourceView>();

/** Made once for a resource, however many spans share it. */
export function resourceView(resource: Resource): ResourceView {
  const known = views.get(resource);
  if (known !== undefined) return known;
  const attributes = attributesOf(resource.attributes);
  const view = {
    attributes,
    serviceName: serviceNameOf(attributes),
    instanceId: text(attributes, 'service.instance.id'),
    language: text(attributes, 'telemetry.sdk.language'),
    origin: originOf(attributes),
    resourceArn: text(attributes, 'cloud.resource_id', 'faas.id'),
    aws: placeOf(attributes),
    service: serviceOf(attributes),
    metadata: metadataOf(resource),
  };
  views.set(resource, view);
  return view;
}

/** SDKs write `unknown_service:node` when they were told nothing. */
function serviceNameOf(attributes: Attributes): string | undefined {
  const name = text(attributes, 'service.name');
  return name?.startsWith('unknown_service') ? undefined : name;
}

const ORIGINS: Readonly<Record<string, string>> = {
  aws_ec2: 'AWS::EC2::Instance',
  aws_eks: 'AWS::EKS::Container',
  aws_elastic_beanstalk: 'AWS::ElasticBeanstalk::Environment',
  aws_app_runner: 'AWS::AppRunner::Service',
  aws_lambda: 'AWS::Lambda::Function',
};

const ECS_ORIGINS: Readonly<Record<string, string>> = { ec2: 'AWS::ECS::EC2', fargate: 'AWS::ECS::Fargate' };

/** `aws_ecs`; Azure's values have moved from an underscore to a dot, so AWS's may. */
function platformOf(attributes: Attributes): string | undefined {
  const provider = text(attributes, 'cloud.provider');
  if (provider !== undefined && provider !== 'aws') return undefined;
  return text(attributes, 'cloud.platform')?.replace(/^aws\./, 'aws_');
}

function originOf(attributes: Attributes): string | undefined {
  const platform = platformOf(attributes);
  if (platform === 'aws_ecs') {
    return ECS_ORIGINS[text(attributes, 'aws.ecs.launchtype')?.toLowerCase() ?? ''] ?? 'AWS::ECS::Container';
  }
  return platform === undefined ? undefined : ORIGINS[platform];
}

function placeOf(attributes: Attributes): JsonObject | undefined {
  const provider = text(attributes, 'cloud.provider');
  const place = {
    account_id: text(attributes, 'cloud.account.id'),
    ...(provider === undefined || provider === 'aws' ? machineOf(attributes) : undefined),
    cloudwatch_logs: logGroupsOf(attributes),
    xray: sdkOf(attributes),
  };
  return present(place);
}

function machineOf(attributes: Attributes): { readonly [key: string]: JsonValue | undefined } {
  const platform = platformOf(attributes);
  const isEc2 = platform === 'aws_ec2' || text(attributes, 'host.id')?.startsWith('i-') === true;
  const isEks = platform === 'aws_eks' || (platform === undefined && attributes.values.has('k8s.cluster.name'));
  const zone = text(attributes, 'cloud.availability_zone');
  return {
    ec2: isEc2
      ? present({
          instance_id: text(attributes, 'host.id'),
          availability_zone: zone,
          instance_size: text(attributes, 'host.type'),
          ami_id: text(attributes, 'host.image.id'),
        })
      : undefined,
    ecs:
      platform === 'aws_ecs'
        ? present({
            container: text(attributes, 'container.name'),
            container_id: text(attributes, 'container.id'),
            availability_zone: zone,
            container_arn: text(attributes, 'aws.ecs.container.arn'),
            cluster_arn: text(attributes, 'aws.ecs.cluster.arn'),
            task_arn: text(attributes, 'aws.ecs.task.arn'),
            task_family: text(attributes, 'aws.ecs.task.family'),
            launch_type: text(attributes, 'aws.ecs.launchtype'),
          })
        : undefined,
    eks: isEks
      ? present({
          cluster_name: text(attributes, 'k8s.cluster.name'),
          pod: text(attributes, 'k8s.pod.name'),
          container_id: text(attributes, 'container.id'),
        })
      : undefined,
    elastic_beanstalk: platform === 'aws_elastic_beanstalk' ? beanstalkOf(attributes) : undefined,
  };
}

function beanstalkOf(attributes: Attributes): JsonObject | undefined {
  const deployment = Number(text(attributes, 'service.instance.id'));
  return present({
    environment_name: text(attributes, 'service.namespace'),
    deployment_id: Number.isSafeInteger(deployment) ? deployment : undefined,
    version_label: text(attributes, 'service.version'),
  });
}

/** An ARN of a log group has its name as the seventh part. */
function logGroupsOf(attributes: Attributes): JsonValue | undefined {
  const split = (key: string) => texts(attributes, key).flatMap((joined) => joined.split('&'));
  const arns = split('aws.log.group.arns').map((arn) => ({ log_group: arn.split(':')[6] ?? arn, arn }));
  const groups = arns.length > 0 ? arns : split('aws.log.group.names').map((name) => ({ log_group: name }));
  return groups.length > 0 ? groups : undefined;
}

function sdkOf(attributes: Attributes): JsonObject | undefined {
  const name = text(attributes, 'telemetry.sdk.name');
  const language = text(attributes, 'telemetry.sdk.language');
  const isAutomatic = text(attributes, 'telemetry.distro.version', 'telemetry.auto.version') !== undefined;
  return present({
    sdk: name !== undefined && language !== undefined ? `${name} for ${language}` : name,
    sdk_version: text(attributes, 'telemetry.sdk.version'),
    auto_instrumentation: isAutomatic ? true : undefined,
  });
}

function serviceOf(attributes: Attributes): JsonObject | undefined {
  return present({
    version: text(attributes, 'service.version', 'container.image.tag') ?? texts(attributes, 'container.image.tags')[0],
    runtime: text(attributes, 'process.runtime.name'),
    runtime_version: text(attributes, 'process.runtime.version'),
  });
}

function metadataOf(resource: Resource): JsonObject {
  const entries = Object.entries(plainObject(resource.attributes ?? []));
  return Object.fromEntries(entries.map(([key, value]) => [`otel.resource.${key}`, value]));
}

/** The members that have a value; undefined when none has. For names that are known: `__proto__` must not be one. */
export function present(members: { readonly [key: string]: JsonValue | undefined }): JsonObject | undefined {
  let some: { [key: string]: JsonValue } | undefined;
  for (const key in members) {
    const value = members[key];
    if (value === undefined) continue;
    some ??= {};
    some[key] = value;
  }
  return some;
}
