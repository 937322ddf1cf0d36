import { expect, test } from 'vitest';
import { parseTemplate } from '../lambda/template/template.ts';
import { renderReport, reportTemplate } from './template-report.ts';

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Orders.Arn}]}}
  Table: {Type: AWS::DynamoDB::Table}
  Role: {Type: AWS::IAM::Role}
  Bucket: {Type: AWS::S3::Bucket}
  Flow: {Type: AWS::Serverless::StateMachine}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: 'exports.handler = async () => 1'
      Handler: index.handler
      Runtime: nodejs20.x
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        Get: {Type: HttpApi, Properties: {Path: '/orders/{id}', Method: get}}
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
        Rule: {Type: EventBridgeRule, Properties: {Pattern: {source: [{startsWith: shop}]}}}
        Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
        Object: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: 's3:ObjectCreated:*'}}
  Image: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}
  Missing: {Type: AWS::Serverless::Function, Properties: {CodeUri: no-such-folder/, Handler: index.handler, Runtime: nodejs20.x}}
`;

const options = { parameters: {}, region: 'us-east-1', accountId: '000000000000' };

test('a report names each part of a template that runs, and each that does not', () => {
  expect(
    renderReport(reportTemplate(parseTemplate(TEMPLATE, '/no-such-app/template.yaml', options))),
  ).toMatchInlineSnapshot(`
    "/no-such-app/template.yaml

    Functions
      Fn (nodejs20.x) runs
      Image does not run: Image is a container image; openray runs only functions of packages (Zip).
      Missing does not run: its folder /no-such-app/no-such-folder does not exist

    Routes, with openray start-api
      GET /orders/{id} → Fn
      ANY function URL of Fn → Fn

    Queues, topics and rules
      queue Orders → Fn
      topic News → Orders
      rule of the bus default → Fn

    Schedules, with --lambda-schedules true
      FnHourly rate(1 hour) → Fn

    Resources that openray does not run
      AWS::DynamoDB::Table: Table
      AWS::S3::Bucket: Bucket
      AWS::Serverless::StateMachine: Flow

    Warnings
      Flow: openray does not run state machines; their functions run only when you invoke them.
      Fn.Events.Object has the Type "S3", which openray does not support; the event never starts the function.
      Fn.Rule: in its pattern source: there is no operator "startsWith"; EventBridge has prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr, exists."
  `);
});

test('a report of a template with one function has no empty sections', () => {
  const template = parseTemplate(
    "Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {InlineCode: 'a', Handler: i.h, Runtime: nodejs22.x}}}",
    '/app/template.yaml',
    options,
  );
  expect(renderReport(reportTemplate(template))).toBe('/app/template.yaml\n\nFunctions\n  Fn (nodejs22.x) runs');
});
