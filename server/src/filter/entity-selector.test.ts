import { expect, test } from 'vitest';
import { parseEntitySelector, selectsEdge, selectsNode } from './entity-selector.ts';

const api = { name: 'api', type: 'AWS::Lambda', accountId: undefined };
const table = { name: 'orders', type: 'AWS::DynamoDB::Table', accountId: '123456789012' };

test('a service is selected if every given member matches', () => {
  expect(selectsNode(parseEntitySelector('service("api")'), api)).toBe(true);
  expect(selectsNode(parseEntitySelector('service("api")'), table)).toBe(false);
  expect(selectsNode(parseEntitySelector('SERVICE(id(type: "AWS::DynamoDB::Table"))'), table)).toBe(true);
  expect(selectsNode(parseEntitySelector('service(id(name: "orders", account.id: "1"))'), table)).toBe(false);
  expect(selectsNode(parseEntitySelector('edge("api", "orders")'), api)).toBe(false);
});

test('an edge is selected if both ends match', () => {
  const selector = parseEntitySelector('edge("api", id(name: "orders", account.id: "123456789012"))');
  expect(selectsEdge(selector, api, table)).toBe(true);
  expect(selectsEdge(selector, table, api)).toBe(false);
  expect(selectsEdge(parseEntitySelector('service("api")'), api, table)).toBe(false);
});

test.each([
  ['', 0],
  ['fault', 0],
  ['service()', 8],
  ['service', 7],
  ['service("a") { fault }', 13],
  ['service("a") AND service("b")', 13],
  ['edge("a")', 8],
  [`service("${'x'.repeat(500)}")`, 500],
])('%j is refused at %i', (text, position) => {
  expect(() => parseEntitySelector(text)).toThrow(
    expect.objectContaining({
      code: 'InvalidRequestException',
      message: expect.stringMatching(new RegExp(`^Invalid filter expression: .+ at position ${position}$`)),
    }),
  );
});
