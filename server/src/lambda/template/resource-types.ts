import { type JsonObject, memberOf } from '../../model/json.ts';
import { functionArn } from '../spec/function-spec.ts';
import { shortId } from './route-values.ts';
import { isTrue } from './values.ts';

/** Where a resource would be deployed. */
export type Place = {
  readonly region: string;
  readonly accountId: string;
  /** URL of the gateway that serves the template's APIs and function URLs, without a slash at the end. */
  readonly gatewayUrl: string;
};

/** The values of `Ref` and `Fn::GetAtt` for a resource. */
export type ResourceValue = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> };

type NamedResource = {
  readonly logicalId: string;
  /** The physical name; the logical id when the template gives none. */
  readonly name: string;
  /** Intrinsic functions are evaluated. */
  readonly properties: JsonObject;
  readonly place: Place;
};

type ResourceType = {
  /** The property that gives the physical name; undefined for types whose id is assigned by AWS. */
  readonly nameKey?: string;
  /** Further properties that `value` reads. */
  readonly keys?: readonly string[];
  readonly value: (resource: NamedResource) => ResourceValue;
};

const SERVERLESS_FUNCTION = 'AWS::Serverless::Function';

/**
 * The resource types whose values are known, with the return values that AWS documents. Ids that AWS assigns have the
 * right form and are the same on every start.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
 */
const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = {
  [SERVERLESS_FUNCTION]: { nameKey: 'FunctionName', value: lambdaFunction },
  'AWS::Lambda::Function': { nameKey: 'FunctionName', value: lambdaFunction },
  'AWS::Lambda::LayerVersion': { nameKey: 'LayerName', value: layerVersion },
  'AWS::Serverless::LayerVersion': { nameKey: 'LayerName', value: layerVersion },
  'AWS::DynamoDB::Table': { nameKey: 'TableName', value: table },
  'AWS::DynamoDB::GlobalTable': { nameKey: 'TableName', value: table },
  'AWS::Serverless::SimpleTable': { nameKey: 'TableName', value: table },
  'AWS::S3::Bucket': {
    nameKey: 'BucketName',
    value: ({ name, place: { region } }) => ({
      ref: name,
      attributes: {
        Arn: `arn:aws:s3:::${name}`,
        DomainName: `${name}.s3.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
        DualStackDomainName: `${name}.s3.dualstack.${region}.amazonaws.com`,
        WebsiteURL: `http://${name}.s3-website-${region}.amazonaws.com`,
      },
    }),
  },
  'AWS::SQS::Queue': {
    nameKey: 'QueueName',
    keys: ['FifoQueue'],
    value: ({ name: given, properties, place }) => {
      const name = withFifo(given, isTrue(properties.FifoQueue));
      const url = `https://sqs.${place.region}.amazonaws.com/${place.accountId}/${name}`;
      return { ref: url, attributes: { Arn: arn(place, 'sqs', name), QueueName: name, QueueUrl: url } };
    },
  },
  'AWS::SNS::Topic': {
    nameKey: 'TopicName',
    keys: ['FifoTopic'],
    value: ({ name: given, properties, place }) => {
      const name = withFifo(given, isTrue(properties.FifoTopic));
      const topicArn = arn(place, 'sns', name);
      return { ref: topicArn, attributes: { TopicArn: topicArn, TopicName: name } };
    },
  },
  'AWS::IAM::Role': { nameKey: 'RoleName', keys: ['Path'], value: role },
  'AWS::IAM::ManagedPolicy': {
    nameKey: 'ManagedPolicyName',
    value: ({ name, place: { accountId } }) => {
      const policyArn = `arn:aws:iam::${accountId}:policy/${name}`;
      return { ref: policyArn, attributes: { PolicyArn: policyArn } };
    },
  },
  'AWS::Logs::LogGroup': {
    nameKey: 'LogGroupName',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'logs', `log-group:${name}:*`) }),
  },
  'AWS::SSM::Parameter': {
    nameKey: 'Name',
    keys: ['Type', 'Value'],
    value: ({ name, properties: { Type: type, Value: value } }) =>
      byName(name, { ...(value !== undefined && { Value: String(value) }), Type: String(type ?? 'String') }),
  },
  'AWS::SecretsManager::Secret': {
    nameKey: 'Name',
    // Without the six characters that AWS appends: Secrets Manager finds a secret by this ARN too.
    value: ({ name, place }) => byArn(arn(place, 'secretsmanager', `secret:${name}`), (Id) => ({ Id })),
  },
  'AWS::StepFunctions::StateMachine': { nameKey: 'StateMachineName', value: stateMachine },
  'AWS::Serverless::StateMachine': { nameKey: 'Name', value: stateMachine },
  'AWS::StepFunctions::Activity': {
    nameKey: 'Name',
    value: ({ name, place }) => byArn(arn(place, 'states', `activity:${name}`), (Arn) => ({ Arn, Name: name })),
  },
  'AWS::Events::EventBus': {
    nameKey: 'Name',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'events', `event-bus/${name}`), Name: name }),
  },
  'AWS::Events::Rule': {
    nameKey: 'Name',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'events', `rule/${name}`) }),
  },
  'AWS::Scheduler::Schedule': {
    nameKey: 'Name',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'scheduler', `schedule/default/${name}`) }),
  },
  'AWS::Pipes::Pipe': {
    nameKey: 'Name',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'pipes', `pipe/${name}`) }),
  },
  'AWS::Kinesis::Stream': {
    nameKey: 'Name',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'kinesis', `stream/${name}`) }),
  },
  'AWS::KinesisFirehose::DeliveryStream': {
    nameKey: 'DeliveryStreamName',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'firehose', `deliverystream/${name}`) }),
  },
  'AWS::CloudWatch::Alarm': {
    nameKey: 'AlarmName',
    value: ({ name, place }) => byName(name, { Arn: arn(place, 'cloudwatch', `alarm:${name}`) }),
  },
  'AWS::ECR::Repository': {
    nameKey: 'RepositoryName',
    value: ({ name, place }) =>
      byName(name, {
        Arn: arn(place, 'ecr', `repository/${name}`),
        RepositoryUri: `${place.accountId}.dkr.ecr.${place.region}.amazonaws.com/${name}`,
      }),
  },
  'AWS::KMS::Key': {
    value: ({ logicalId, place }) => {
      const id = uuidOf(logicalId);
      return byName(id, { Arn: arn(place, 'kms', `key/${id}`), KeyId: id });
    },
  },
  'AWS::KMS::Alias': { nameKey: 'AliasName', value: ({ name }) => byName(name, {}) },
  'AWS::Cognito::UserPool': {
    value: ({ logicalId, place }) => {
      const id = `${place.region}_${shortId(logicalId).slice(0, 9)}`;
      const provider = `cognito-idp.${place.region}.amazonaws.com/${id}`;
      return byName(id, {
        Arn: arn(place, 'cognito-idp', `userpool/${id}`),
        ProviderName: provider,
        ProviderURL: `https://${provider}`,
        UserPoolId: id,
      });
    },
  },
  'AWS::Cognito::UserPoolClient': {
    nameKey: 'ClientName',
    value: ({ logicalId, name }) => {
      const id = `${shortId(logicalId)}${shortId(`${logicalId} client`)}${shortId(`${logicalId} id`).slice(0, 6)}`;
      return byName(id, { ClientId: id, Name: name });
    },
  },
  'AWS::Cognito::IdentityPool': {
    nameKey: 'IdentityPoolName',
    value: ({ logicalId, name, place: { region } }) => byName(`${region}:${uuidOf(logicalId)}`, { Name: name }),
  },
  // `Ref` of an API is its logical id, by which routes find their API.
  'AWS::Serverless::Api': { value: restApi },
  'AWS::ApiGateway::RestApi': { value: restApi },
  'AWS::Serverless::HttpApi': { value: httpApi },
  'AWS::ApiGatewayV2::Api': { keys: ['ProtocolType'], value: httpApi },
  'AWS::CloudFront::Distribution': {
    value: ({ logicalId }) => {
      const id = `E${shortId(logicalId).toUpperCase()}`;
      return byName(id, { Id: id, DomainName: `d${shortId(logicalId)}.cloudfront.net` });
    },
  },
  'AWS::EC2::VPC': {
    value: ({ logicalId }) => {
      const id = `vpc-${hexOf(logicalId)}`;
      return byName(id, { VpcId: id, DefaultSecurityGroup: `sg-${hexOf(`${logicalId} default`)}` });
    },
  },
  'AWS::EC2::Subnet': {
    value: ({ logicalId }) => {
      const id = `subnet-${hexOf(logicalId)}`;
      return byName(id, { SubnetId: id });
    },
  },
  'AWS::EC2::SecurityGroup': {
    value: ({ logicalId }) => {
      const id = `sg-${hexOf(logicalId)}`;
      return byName(id, { GroupId: id, Id: id });
    },
  },
  'AWS::AppSync::GraphQLApi': {
    value: ({ logicalId, place }) => {
      const id = `${shortId(logicalId)}${shortId(`${logicalId} api`)}${shortId(`${logicalId} id`).slice(0, 6)}`;
      const url = `https://${id}.appsync-api.${place.region}.amazonaws.com/graphql`;
      return byArn(arn(place, 'appsync', `apis/${id}`), (Arn) => ({ Arn, ApiId: id, GraphQLUrl: url }));
    },
  },
  'AWS::Lambda::EventSourceMapping': {
    value: ({ logicalId, place }) => {
      const id = uuidOf(logicalId);
      return byName(id, { Id: id, EventSourceMappingArn: arn(place, 'lambda', `event-source-mapping:${id}`) });
    },
  },
};

/** Undefined for a type whose values are not known. */
export function resourceType(type: string): ResourceType | undefined {
  return memberOf(RESOURCE_TYPES, type);
}

/** Values of the resources that SAM makes for a function: its role and its function URL, by logical id. */
export function generatedValues(
  logicalId: string,
  { hasUrl, hasRole }: { readonly hasUrl: boolean; readonly hasRole: boolean },
  place: Place,
): Readonly<Record<string, ResourceValue>> {
  const roleId = `${logicalId}Role`;
  return {
    ...(hasRole && { [roleId]: role({ logicalId: roleId, name: roleId, properties: {}, place }) }),
    ...(hasUrl && {
      [`${logicalId}Url`]: functionUrl(logicalId, functionArn(logicalId, place.region, place.accountId), place),
    }),
  };
}

export function functionUrl(functionId: string, arnOfFunction: string, { gatewayUrl }: Place): ResourceValue {
  const url = `${gatewayUrl}/lambda-url/${functionId}/`;
  return { ref: arnOfFunction, attributes: { FunctionUrl: url, FunctionArn: arnOfFunction } };
}

export function isFunction(type: string): boolean {
  return type === SERVERLESS_FUNCTION || type === 'AWS::Lambda::Function';
}

function lambdaFunction({ name, place }: NamedResource): ResourceValue {
  return byName(name, { Arn: functionArn(name, place.region, place.accountId) });
}

function layerVersion({ name, place }: NamedResource): ResourceValue {
  const layerArn = arn(place, 'lambda', `layer:${name}`);
  return byArn(`${layerArn}:1`, (LayerVersionArn) => ({ LayerVersionArn, LayerArn: layerArn }));
}

function table({ name, place }: NamedResource): ResourceValue {
  const tableArn = arn(place, 'dynamodb', `table/${name}`);
  return byName(name, { Arn: tableArn, StreamArn: `${tableArn}/stream/2020-01-01T00:00:00.000` });
}

function role({ logicalId, name, properties: { Path: path }, place: { accountId } }: NamedResource): ResourceValue {
  const id = `AROA${shortId(logicalId).toUpperCase()}${shortId(`${logicalId} id`).toUpperCase()}`.slice(0, 21);
  return byName(name, { Arn: `arn:aws:iam::${accountId}:role${String(path ?? '/')}${name}`, RoleId: id });
}

function stateMachine({ name, place }: NamedResource): ResourceValue {
  return byArn(arn(place, 'states', `stateMachine:${name}`), (Arn) => ({ Arn, Name: name }));
}

function restApi({ logicalId }: NamedResource): ResourceValue {
  return byName(logicalId, { RestApiId: logicalId, RootResourceId: `${logicalId}.RootResourceId` });
}

function httpApi({ logicalId, properties, place: { region, gatewayUrl } }: NamedResource): ResourceValue {
  const isWebSocket = properties.ProtocolType === 'WEBSOCKET';
  const endpoint = isWebSocket ? `wss://${shortId(logicalId)}.execute-api.${region}.amazonaws.com` : gatewayUrl;
  return byName(logicalId, { ApiId: logicalId, ApiEndpoint: endpoint });
}

function byName(ref: string, attributes: ResourceValue['attributes']): ResourceValue {
  return { ref, attributes };
}

function byArn(ref: string, attributes: (ref: string) => ResourceValue['attributes']): ResourceValue {
  return { ref, attributes: attributes(ref) };
}

function arn({ region, accountId }: Place, service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${accountId}:${resource}`;
}

function withFifo(name: string, isFifo: boolean): string {
  return isFifo && !name.endsWith('.fifo') ? `${name}.fifo` : name;
}

function hexOf(text: string): string {
  return Buffer.from(shortId(text)).toString('hex').slice(0, 17);
}

function uuidOf(text: string): string {
  const hex = Buffer.from(`${shortId(text)}${shortId(`${text} uuid`)}`).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
