import { afterAll, beforeAll, expect, test } from 'vitest';
import { entityId, segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

async function post(path: string, body: object): Promise<string> {
  const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) });
  const answer = await response.text();
  expect(response.status, answer).toBe(200);
  return answer;
}

test.each(['in one request', 'in two', 'in two, the other first'])(
  'two segments with one id, %s: both are kept',
  async (way) => {
    const shop = segment({ name: 'shop' });
    const stock = segment({ name: 'stock', id: shop.id, trace_id: shop.trace_id, parent_id: entityId() });
    const texts = [shop, stock].map((document) => JSON.stringify(document));
    if (way.endsWith('first')) texts.reverse();
    const batches = way === 'in one request' ? [texts] : texts.map((text) => [text]);
    for (const batch of batches) await post('/TraceSegments', { TraceSegmentDocuments: batch });
    const { Traces } = JSON.parse(await post('/Traces', { TraceIds: [shop.trace_id] }));
    const kept = Traces[0].Segments.map(({ Document }: { Document: string }) => JSON.parse(Document));
    expect(kept.map(({ name }: { name: string }) => name).sort()).toEqual(['shop', 'stock']);
    expect(kept.find(({ name }: { name: string }) => name === 'shop').id).toBe(shop.id);
  },
);
