import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { OpenrayError } from '../../errors.ts';
import { openBroker } from './broker.ts';
import { newServiceRoutes } from './service-routes.ts';

const notFound = () => {
  throw new OpenrayError('ResourceNotFoundException', 'answered here');
};

/** Where a request ends: at openray's own API, or at the relay to AWS. */
async function destinationOf(method: string, path: string, headers = {}, body = '{}'): Promise<string> {
  const server = createServer(
    newServiceRoutes({
      broker: openBroker({
        specs: {
          queues: [],
          topics: [],
          subscriptions: [],
          rules: [],
          buses: ['default', 'shop'],
          schedules: [],
          queueSources: [],
        },
        accountId: '123456789012',
        region: 'us-east-1',
        invokeAsync: async () => notFound(),
        warn: () => {},
      }),
      lambda: { list: () => [], find: notFound, invoke: async () => notFound() },
      hasFunction: (name) => name === 'local',
      refresh: () => {},
      relay: async (_request, _body, response) => void response.end('relayed'),
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
      method,
      headers,
      ...(method === 'POST' ? { body } : {}),
    });
    return (await response.text()) === 'relayed' ? 'relay' : 'here';
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test.each([
  ['POST', '/2015-03-31/functions/local/invocations', 'here'],
  ['POST', '/2021-11-15/functions/local/response-streaming-invocations', 'here'],
  ['GET', '/2015-03-31/functions/local', 'here'],
  ['GET', '/2015-03-31/functions/local/configuration', 'here'],
  ['GET', '/2015-03-31/functions/local/policy/1', 'here'],
  ['GET', '/2015-03-31/functions', 'here'],
  ['GET', '/2015-03-31/functions/', 'here'],
  ['POST', '/2015-03-31/functions/remote/invocations', 'relay'],
  ['POST', '/2021-11-15/functions/remote/response-streaming-invocations', 'relay'],
  ['GET', '/2015-03-31/functions/%zz/configuration', 'relay'],
  ['GET', '/2015-03-31/event-source-mappings/', 'relay'],
])('%s %s is answered: %s', async (method, path, destination) => {
  expect(await destinationOf(method, path)).toBe(destination);
});

test.each([
  [['default'], 'here'],
  [[undefined], 'here'],
  [['shop'], 'here'],
  [['arn:aws:events:us-east-1:123456789012:event-bus/shop'], 'here'],
  [['foreign'], 'relay'],
  [['foreign', 'arn:aws:events:us-east-1:123456789012:event-bus/other'], 'relay'],
  [['foreign', 'shop'], 'here'],
  [[], 'here'],
])('PutEvents for the buses %j is answered: %s', async (buses, destination) => {
  const body = JSON.stringify({ Entries: buses.map((EventBusName) => ({ EventBusName })) });
  expect(await destinationOf('POST', '/', { 'x-amz-target': 'AWSEvents.PutEvents' }, body)).toBe(destination);
});
