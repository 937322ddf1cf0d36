import { definedMembers, type JsonObject, type JsonValue } from '../../json.ts';
import type { Resource } from '../../otlp-messages.ts';
import { plainObject } from '../any-value.ts';
import { type Attributes, attributesOf, firstText, textList } from './attributes.ts';

/** A resource in the members of X-Ray. */
export type XrayResource = {
  readonly attributes: Attributes;
  readonly serviceName: string | undefined;
  /** The instance of the service; it distinguishes processes with the same name. */
  readonly instanceId: string | undefined;
  readonly language: string | undefined;
  readonly origin: string | undefined;
  readonly resourceArn: string | undefined;
  /** Members of `aws` for the host, container or platform of the code. */
  readonly aws: JsonObject | undefined;
  readonly service: JsonObject | undefined;
  /** Every attribute, as metadata of segments. */
  readonly metadata: JsonObject;
};

const translatedResources = new WeakMap<Resource, XrayResource>();

/** Computed once for a resource that many spans share. */
export function xrayResourceOf(resource: Resource): XrayResource {
  const known = translatedResources.get(resource);
  if (known !== undefined) return known;
  const attributes = attributesOf(resource.attributes);
  const translated = {
    attributes,
    serviceName: serviceNameOf(attributes),
    instanceId: firstText(attributes, 'service.instance.id'),
    language: firstText(attributes, 'telemetry.sdk.language'),
    origin: originOf(attributes),
    resourceArn: firstText(attributes, 'cloud.resource_id', 'faas.id'),
    aws: awsMembersOf(attributes),
    service: serviceOf(attributes),
    metadata: metadataOf(resource),
  };
  translatedResources.set(resource, translated);
  return translated;
}

/** SDKs write `unknown_service:node` if no service name is configured. */
function serviceNameOf(attributes: Attributes): string | undefined {
  const name = firstText(attributes, 'service.name');
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

/** For example `aws_ecs`. Azure's values changed from an underscore to a dot; AWS's may change, too. */
function platformOf(attributes: Attributes): string | undefined {
  const provider = firstText(attributes, 'cloud.provider');
  if (provider !== undefined && provider !== 'aws') return undefined;
  return firstText(attributes, 'cloud.platform')?.replace(/^aws\./, 'aws_');
}

function originOf(attributes: Attributes): string | undefined {
  const platform = platformOf(attributes);
  if (platform === 'aws_ecs') {
    return ECS_ORIGINS[firstText(attributes, 'aws.ecs.launchtype')?.toLowerCase() ?? ''] ?? 'AWS::ECS::Container';
  }
  return platform === undefined ? undefined : ORIGINS[platform];
}

function awsMembersOf(attributes: Attributes): JsonObject | undefined {
  const provider = firstText(attributes, 'cloud.provider');
  return definedMembers({
    account_id: firstText(attributes, 'cloud.account.id'),
    ...(provider === undefined || provider === 'aws' ? hostMembersOf(attributes) : undefined),
    cloudwatch_logs: logGroupsOf(attributes),
    xray: sdkOf(attributes),
  });
}

function hostMembersOf(attributes: Attributes): { readonly [key: string]: JsonValue | undefined } {
  const platform = platformOf(attributes);
  const isEc2 = platform === 'aws_ec2' || firstText(attributes, 'host.id')?.startsWith('i-') === true;
  const isEks = platform === 'aws_eks' || (platform === undefined && attributes.values.has('k8s.cluster.name'));
  const zone = firstText(attributes, 'cloud.availability_zone');
  return {
    ec2: isEc2
      ? definedMembers({
          instance_id: firstText(attributes, 'host.id'),
          availability_zone: zone,
          instance_size: firstText(attributes, 'host.type'),
          ami_id: firstText(attributes, 'host.image.id'),
        })
      : undefined,
    ecs:
      platform === 'aws_ecs'
        ? definedMembers({
            container: firstText(attributes, 'container.name'),
            container_id: firstText(attributes, 'container.id'),
            availability_zone: zone,
            container_arn: firstText(attributes, 'aws.ecs.container.arn'),
            cluster_arn: firstText(attributes, 'aws.ecs.cluster.arn'),
            task_arn: firstText(attributes, 'aws.ecs.task.arn'),
            task_family: firstText(attributes, 'aws.ecs.task.family'),
            launch_type: firstText(attributes, 'aws.ecs.launchtype'),
          })
        : undefined,
    eks: isEks
      ? definedMembers({
          cluster_name: firstText(attributes, 'k8s.cluster.name'),
          pod: firstText(attributes, 'k8s.pod.name'),
          container_id: firstText(attributes, 'container.id'),
        })
      : undefined,
    elastic_beanstalk: platform === 'aws_elastic_beanstalk' ? beanstalkOf(attributes) : undefined,
  };
}

function beanstalkOf(attributes: Attributes): JsonObject | undefined {
  const deployment = Number(firstText(attributes, 'service.instance.id'));
  return definedMembers({
    environment_name: firstText(attributes, 'service.namespace'),
    deployment_id: Number.isSafeInteger(deployment) ? deployment : undefined,
    version_label: firstText(attributes, 'service.version'),
  });
}

/** The seventh part of a log group's ARN is its name. */
function logGroupsOf(attributes: Attributes): JsonValue | undefined {
  const split = (key: string) => textList(attributes, key).flatMap((joined) => joined.split('&'));
  const arns = split('aws.log.group.arns').map((arn) => ({ log_group: arn.split(':')[6] ?? arn, arn }));
  const groups = arns.length > 0 ? arns : split('aws.log.group.names').map((name) => ({ log_group: name }));
  return groups.length > 0 ? groups : undefined;
}

function sdkOf(attributes: Attributes): JsonObject | undefined {
  const name = firstText(attributes, 'telemetry.sdk.name');
  const language = firstText(attributes, 'telemetry.sdk.language');
  const isAutomatic = firstText(attributes, 'telemetry.distro.version', 'telemetry.auto.version') !== undefined;
  return definedMembers({
    sdk: name !== undefined && language !== undefined ? `${name} for ${language}` : name,
    sdk_version: firstText(attributes, 'telemetry.sdk.version'),
    auto_instrumentation: isAutomatic ? true : undefined,
  });
}

function serviceOf(attributes: Attributes): JsonObject | undefined {
  return definedMembers({
    version:
      firstText(attributes, 'service.version', 'container.image.tag') ??
      textList(attributes, 'container.image.tags')[0],
    runtime: firstText(attributes, 'process.runtime.name'),
    runtime_version: firstText(attributes, 'process.runtime.version'),
  });
}

function metadataOf(resource: Resource): JsonObject {
  const entries = Object.entries(plainObject(resource.attributes ?? []));
  return Object.fromEntries(entries.map(([key, value]) => [`otel.resource.${key}`, value]));
}
