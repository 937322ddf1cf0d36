import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../testing/local-lambda.ts';
import { readTemplate } from './template.ts';

const OPTIONS = { parameters: {}, region: 'eu-west-1', accountId: '123456789012' };

const SERVICE = `service: shop
custom:
  stage: !Ref Anything
  name: \${self:service}
functions:
  send-mail: {handler: src/mail.send}
  order: {handler: src/order.main}
  deleted: {handler: src/deleted.main}
  odd: 7
`;

test.each([
  ['SendDashmailLambdaFunction', 's_send_mail.handler', 'src/mail.send'],
  ['OrderLambdaFunction', 'order.main', 'src/order.main'],
  ['OrderLambdaFunction', 'src/mail.send', 'src/mail.send'],
  ['DeletedLambdaFunction', 's_deleted.handler', 's_deleted.handler'],
  ['OddLambdaFunction', 's_odd.handler', 's_odd.handler'],
  ['NoneLambdaFunction', 's_none.handler', 's_none.handler'],
  ['Other', 'a.b', 'a.b'],
])('%s with the handler %s of the package runs %s', async (logicalId, handler, expected) => {
  const properties = { Runtime: 'nodejs22.x', Handler: handler, Code: { S3Bucket: 'b', S3Key: 'k' } };
  const dir = await writeFiles({
    '.serverless/cloudformation-template-update-stack.json': JSON.stringify({
      Resources: { [logicalId]: { Type: 'AWS::Lambda::Function', Properties: properties } },
    }),
    'serverless.yml': SERVICE,
    'src/mail.ts': '',
    'src/order.py': '',
  });
  const file = join(dir, '.serverless/cloudformation-template-update-stack.json');
  expect(readTemplate(file, OPTIONS).functions[0]?.handler).toBe(expected);
});

test.each([{}, { 'serverless.yml': ': [' }])('a service that cannot be read keeps the handler', async (files) => {
  const properties = { Runtime: 'nodejs22.x', Handler: 's_a.handler', Code: { S3Bucket: 'b', S3Key: 'k' } };
  const dir = await writeFiles({
    '.serverless/t.json': JSON.stringify({
      Resources: { ALambdaFunction: { Type: 'AWS::Lambda::Function', Properties: properties } },
    }),
    ...(files as Record<string, string>),
  });
  expect(readTemplate(join(dir, '.serverless/t.json'), OPTIONS).functions[0]?.handler).toBe('s_a.handler');
});
