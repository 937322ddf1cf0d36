import { describe, expect, test } from 'vitest';
import { parseTemplate } from './template.ts';

const OPTIONS = { parameters: {}, region: 'eu-west-1', accountId: '123456789012' };

/** Values of variables of the function F, which see `resources`. */
function variablesOf(resources: string, variables: string, options: { readonly gatewayUrl?: string } = {}) {
  const text = `
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  ${resources}
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: index.handler, Environment: {Variables: {${variables}}}}`;
  const { functions, warnings: general } = parseTemplate(text, '/project/template.yaml', { ...OPTIONS, ...options });
  const spec = functions.find(({ logicalId }) => logicalId === 'F');
  return { values: spec?.environmentVariables, warnings: [...general, ...(spec?.warnings ?? [])] };
}

const AT = 'eu-west-1:123456789012';

describe('Ref and GetAtt of a resource with a physical name', () => {
  test.each<[string, string, string, Record<string, string>]>([
    ['AWS::Serverless::Function', 'FunctionName', 'n-dev', { Arn: `arn:aws:lambda:${AT}:function:n-dev` }],
    ['AWS::Lambda::Function', 'FunctionName', 'n-dev', { Arn: `arn:aws:lambda:${AT}:function:n-dev` }],
    ['AWS::DynamoDB::Table', 'TableName', 'n-dev', { Arn: `arn:aws:dynamodb:${AT}:table/n-dev` }],
    ['AWS::Serverless::SimpleTable', 'TableName', 'n-dev', { Arn: `arn:aws:dynamodb:${AT}:table/n-dev` }],
    [
      'AWS::S3::Bucket',
      'BucketName',
      'n-dev',
      {
        Arn: 'arn:aws:s3:::n-dev',
        DomainName: 'n-dev.s3.amazonaws.com',
        RegionalDomainName: 'n-dev.s3.eu-west-1.amazonaws.com',
      },
    ],
    [
      'AWS::SQS::Queue',
      'QueueName',
      'https://sqs.eu-west-1.amazonaws.com/123456789012/n-dev',
      { Arn: `arn:aws:sqs:${AT}:n-dev`, QueueName: 'n-dev' },
    ],
    ['AWS::SNS::Topic', 'TopicName', `arn:aws:sns:${AT}:n-dev`, { TopicName: 'n-dev' }],
    ['AWS::IAM::Role', 'RoleName', 'n-dev', { Arn: 'arn:aws:iam::123456789012:role/n-dev' }],
    ['AWS::IAM::ManagedPolicy', 'ManagedPolicyName', 'arn:aws:iam::123456789012:policy/n-dev', {}],
    ['AWS::Logs::LogGroup', 'LogGroupName', 'n-dev', { Arn: `arn:aws:logs:${AT}:log-group:n-dev:*` }],
    ['AWS::SSM::Parameter', 'Name', 'n-dev', { Type: 'String' }],
    ['AWS::SecretsManager::Secret', 'Name', `arn:aws:secretsmanager:${AT}:secret:n-dev`, {}],
    [
      'AWS::StepFunctions::StateMachine',
      'StateMachineName',
      `arn:aws:states:${AT}:stateMachine:n-dev`,
      { Name: 'n-dev' },
    ],
    ['AWS::Serverless::StateMachine', 'Name', `arn:aws:states:${AT}:stateMachine:n-dev`, { Name: 'n-dev' }],
    ['AWS::Events::EventBus', 'Name', 'n-dev', { Arn: `arn:aws:events:${AT}:event-bus/n-dev`, Name: 'n-dev' }],
    ['AWS::Events::Rule', 'Name', 'n-dev', { Arn: `arn:aws:events:${AT}:rule/n-dev` }],
    ['AWS::Kinesis::Stream', 'Name', 'n-dev', { Arn: `arn:aws:kinesis:${AT}:stream/n-dev` }],
    [
      'AWS::KinesisFirehose::DeliveryStream',
      'DeliveryStreamName',
      'n-dev',
      { Arn: `arn:aws:firehose:${AT}:deliverystream/n-dev` },
    ],
    ['AWS::CloudWatch::Alarm', 'AlarmName', 'n-dev', { Arn: `arn:aws:cloudwatch:${AT}:alarm:n-dev` }],
    ['AWS::ECR::Repository', 'RepositoryName', 'n-dev', { Arn: `arn:aws:ecr:${AT}:repository/n-dev` }],
    ['AWS::Serverless::LayerVersion', 'LayerName', `arn:aws:lambda:${AT}:layer:n-dev:1`, {}],
    ['AWS::Scheduler::Schedule', 'Name', 'n-dev', { Arn: `arn:aws:scheduler:${AT}:schedule/default/n-dev` }],
    ['AWS::Pipes::Pipe', 'Name', 'n-dev', { Arn: `arn:aws:pipes:${AT}:pipe/n-dev` }],
    ['AWS::KMS::Alias', 'AliasName', 'n-dev', {}],
  ])('%s', (type, nameKey, ref, attributes) => {
    const names = Object.keys(attributes);
    const { values } = variablesOf(
      `X: {Type: ${type}, Properties: {${nameKey}: !Sub 'n-\${Stage}'}}`,
      ['REF: !Ref X', `SUB: !Sub '\${X}!'`, ...names.map((name) => `${name}: !GetAtt X.${name}`)].join(', '),
    );
    expect(values).toEqual({ REF: ref, SUB: `${ref}!`, ...attributes });
    const { values: unnamed } = variablesOf(`X: {Type: ${type}}`, 'REF: !Ref X');
    expect(unnamed).toEqual({ REF: ref.replace('n-dev', 'X') });
  });
});

test.each<[string, string, RegExp, Record<string, RegExp>]>([
  ['AWS::Cognito::UserPool', '', /^eu-west-1_[0-9a-z]{9}$/, { Arn: /^arn:aws:cognito-idp:.*:userpool\/eu-west-1_/ }],
  ['AWS::Cognito::UserPoolClient', '', /^[0-9a-z]{26}$/, { ClientId: /^[0-9a-z]{26}$/ }],
  ['AWS::KMS::Key', '', /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/, { Arn: /^arn:aws:kms:.*:key\/[0-9a-f-]{36}$/ }],
  ['AWS::EC2::VPC', '', /^vpc-[0-9a-f]{17}$/, { VpcId: /^vpc-/ }],
  ['AWS::EC2::SecurityGroup', '', /^sg-[0-9a-f]{17}$/, { GroupId: /^sg-[0-9a-f]{17}$/ }],
  ['AWS::EC2::Subnet', '', /^subnet-[0-9a-f]{17}$/, {}],
  ['AWS::CloudFront::Distribution', '', /^E[0-9A-Z]{10}$/, { DomainName: /^d[0-9a-z]+\.cloudfront\.net$/ }],
  ['AWS::AppSync::GraphQLApi', '', /^arn:aws:appsync:.*:apis\/[0-9a-z]{26}$/, { GraphQLUrl: /^https:.*\/graphql$/ }],
  ['AWS::SSM::Parameter', 'Value: !Ref Other, Type: String', /^X$/, { Value: /^other$/ }],
  ['AWS::IAM::Role', 'Path: /team/', /^X$/, { Arn: /:role\/team\/X$/ }],
])('%s has well-formed values, and no warning', (type, properties, ref, attributes) => {
  const names = Object.keys(attributes);
  const { values, warnings } = variablesOf(
    `Other: {Type: AWS::DynamoDB::Table, Properties: {TableName: other}}\n  X: {Type: ${type}, Properties: {${properties}}}`,
    ['REF: !Ref X', ...names.map((name) => `${name}: !GetAtt X.${name}`)].join(', '),
  );
  expect(values?.REF).toMatch(ref);
  for (const [name, form] of Object.entries(attributes)) expect(values?.[name]).toMatch(form);
  expect(warnings).toEqual([]);
});

test('APIs and function URLs have the URL that start-api serves', () => {
  const resources = `Rest: {Type: AWS::Serverless::Api, Properties: {StageName: Prod}}
  Http: {Type: AWS::Serverless::HttpApi}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt F.Arn, AuthType: NONE}}
  G:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: index.handler, FunctionUrlConfig: {AuthType: NONE}}`;
  const url = (id: string, path: string) =>
    `!Sub 'https://\${${id}}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}${path}'`;
  const { values, warnings } = variablesOf(
    resources,
    [
      `REST: ${url('Rest', '/Prod/items')}`,
      `IMPLICIT: ${url('ServerlessRestApi', '/Prod/')}`,
      `HTTP: ${url('ServerlessHttpApi', '/items')}`,
      `OTHER: 'https://abcdef.execute-api.eu-west-1.amazonaws.com/Prod'`,
      'ENDPOINT: !GetAtt Http.ApiEndpoint',
      'URL: !GetAtt Url.FunctionUrl',
      'GENERATED: !GetAtt GUrl.FunctionUrl',
      'ROLE: !GetAtt GRole.Arn',
    ].join(', '),
    { gatewayUrl: 'http://127.0.0.1:3333' },
  );
  expect(values).toEqual({
    REST: 'http://127.0.0.1:3333/items',
    IMPLICIT: 'http://127.0.0.1:3333/',
    HTTP: 'http://127.0.0.1:3333/items',
    OTHER: 'https://abcdef.execute-api.eu-west-1.amazonaws.com/Prod',
    ENDPOINT: 'http://127.0.0.1:3333',
    URL: 'http://127.0.0.1:3333/lambda-url/F/',
    GENERATED: 'http://127.0.0.1:3333/lambda-url/G/',
    ROLE: 'arn:aws:iam::123456789012:role/GRole',
  });
  expect(warnings).toEqual([]);
});

test('the alias and the version that AutoPublishAlias makes', () => {
  const resources = `G: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs22.x, AutoPublishAlias: live}}`;
  const { values, warnings } = variablesOf(resources, 'A: !Ref G.Alias, V: !Ref G.Version, L: !Ref GAliaslive');
  const arn = `arn:aws:lambda:${AT}:function:G`;
  expect(values).toEqual({ A: `${arn}:live`, V: `${arn}:$LATEST`, L: `${arn}:live` });
  expect(warnings).toEqual([]);
});

test('an attribute that is not known is named once', () => {
  const { values, warnings } = variablesOf(
    'Db: {Type: AWS::RDS::DBInstance}',
    `A: !GetAtt Db.Endpoint.Address, B: !Sub '\${Db.Endpoint.Address}', C: !GetAtt Nope.Arn`,
  );
  expect(values).toEqual({ A: 'Db.Endpoint.Address', B: 'Db.Endpoint.Address', C: 'Nope.Arn' });
  expect(warnings).toEqual([
    'The attribute Db.Endpoint.Address is not known here; its name is used instead.',
    'The attribute Nope.Arn is of no resource of this template; its name is used instead.',
  ]);
});
