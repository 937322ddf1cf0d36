import { expect, test } from 'vitest';
import { parseTemplate } from './template.ts';

const TEMPLATE = `
Globals: {Function: {Runtime: nodejs20.x, Handler: index.handler, CodeUri: .}}
Resources:
  News: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Q.Arn, FilterPolicy: {a: [{contains: x}]}}]}}
  Q: {Type: AWS::SQS::Queue}
  Sub: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Q.Arn, FilterPolicy: '{"b":[{"like":"x"}]}'}}
  Rule: {Type: AWS::Events::Rule, Properties: {EventPattern: {detail: {ip: [{cidr: ten}]}}, Targets: []}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Good: {Type: EventBridgeRule, Properties: {Pattern: {source: [{prefix: {equals-ignore-case: x}}]}}}
        Bad: {Type: EventBridgeRule, Properties: {Pattern: {source: [{startsWith: x}]}}}
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn, FilterCriteria: {Filters: [{Pattern: '{"body":'}, {Pattern: '{"body":[{"is":1}]}'}]}}}
`;

test('a pattern that AWS refuses is named, with its place and the operator', () => {
  const options = { parameters: {}, region: 'us-east-1', accountId: '000000000000' };
  const { sourceWarnings } = parseTemplate(TEMPLATE, '/app/template.yaml', options);
  const heads = sourceWarnings.map((warning) => warning.replace(/; EventBridge has .*/, ''));
  expect(heads.toSorted()).toEqual([
    'Fn.Bad: in its pattern source: there is no operator "startsWith"',
    'Fn.Queue: a pattern is not a JSON object; it matches nothing.',
    'Fn.Queue: in its pattern body: there is no operator "is"',
    'News: in its pattern a: there is no operator "contains"',
    'Rule has no valid Targets; the rule invokes nothing.',
    'Rule: in its pattern detail.ip: cidr takes a block such as 10.0.0.0/24, not "ten".',
    'Sub: in its pattern b: there is no operator "like"',
  ]);
});
