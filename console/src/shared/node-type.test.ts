import { expect, test } from 'vitest';
import { nodeGlyph, nodeTypeLabel, shortNodeName } from './node-type.ts';

test.each([
  ['client', 'Client', 'client'],
  ['AWS::Lambda', 'Lambda context', 'lambda'],
  ['AWS::Lambda::Function', 'Lambda function', 'lambda'],
  ['remote', 'Remote', 'remote'],
  ['AWS::Kinesis::Stream', 'Kinesis Stream', 'service'],
  ['my-kind', 'my-kind', 'service'],
  ['', 'Service', 'service'],
  [null, 'Service', 'service'],
])('type %o has the label %s', (type, label, glyph) => {
  expect(nodeTypeLabel(type)).toBe(label);
  expect(nodeGlyph(type)).toBe(glyph);
});

test('long names are shown by their distinguishing part', () => {
  expect(shortNodeName('https://sqs.us-east-1.amazonaws.com/000000000000/orders', 'AWS::SQS::Queue')).toBe('orders');
  expect(shortNodeName('arn:aws:sns:us-east-1:000000000000:news', 'AWS::SNS')).toBe('news');
  expect(shortNodeName('shop.example.com', null)).toBe('shop.example.com');
});
