import {
  BatchGetTracesCommand,
  GetSamplingRulesCommand,
  GetSamplingTargetsCommand,
  GetServiceGraphCommand,
  GetTimeSeriesServiceStatisticsCommand,
  GetTraceGraphCommand,
  GetTraceSummariesCommand,
  InvalidRequestException,
  PutTelemetryRecordsCommand,
  PutTraceSegmentsCommand,
  paginateGetTraceSummaries,
  type Service,
  type TraceSummary,
} from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aroundNow, entityId, type Fields, segment, traceId } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

const put = (...documents: readonly Fields[]) =>
  server.xray.send(
    new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) }),
  );

async function find(filter: string): Promise<readonly TraceSummary[]> {
  const pages = paginateGetTraceSummaries({ client: server.xray }, { ...aroundNow(), FilterExpression: filter });
  const found: TraceSummary[] = [];
  for await (const page of pages) found.push(...(page.TraceSummaries ?? []));
  return found;
}

/** A shop that calls a stock service of its own and a table, with annotations that no other test uses. */
function shopTrace(tenant: string): readonly Fields[] {
  const trace_id = traceId();
  const call = entityId();
  const root = segment({
    trace_id,
    name: 'shop',
    fault: true,
    http: { request: { method: 'POST', url: 'https://shop.example/cart' }, response: { status: 502 } },
    annotations: { tenant, attempt: 2, beta: true },
    metadata: { default: { cart: [1, 2, 3] } },
    user: `user-of-${tenant}`,
  });
  const start = root.start_time;
  return [
    {
      ...root,
      subsegments: [
        {
          id: call,
          name: 'stock.example',
          namespace: 'remote',
          start_time: start + 0.01,
          end_time: start + 0.06,
          fault: true,
          http: {
            request: { method: 'GET', url: 'https://stock.example/42', traced: true },
            response: { status: 503 },
          },
        },
        {
          id: entityId(),
          name: 'DynamoDB',
          namespace: 'aws',
          start_time: start + 0.06,
          end_time: start + 0.08,
          aws: { operation: 'GetItem', table_name: 'carts' },
        },
      ],
    },
    segment({
      trace_id,
      name: 'stock',
      parent_id: call,
      start_time: start + 0.02,
      end_time: start + 0.05,
      fault: true,
      cause: { exceptions: [{ id: entityId(), type: 'OutOfStock', message: 'none left' }] },
    }),
  ];
}

describe('PutTraceSegments', () => {
  test('reports an invalid document and stores the others', async () => {
    const good = segment();
    const answer = await put(good, { ...segment(), name: '' }, { hello: 1 });
    expect(answer.UnprocessedTraceSegments).toEqual([
      expect.objectContaining({ ErrorCode: 'MissingName', Message: 'Invalid segment. ErrorCode: MissingName' }),
      expect.objectContaining({ ErrorCode: 'MissingId' }),
    ]);
    const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [good.trace_id] }));
    expect(Traces?.[0]?.Segments).toHaveLength(1);
  });

  test('refuses no documents and more than fifty', async () => {
    await expect(put()).rejects.toThrow('Segments can not be empty');
    await expect(put(...Array.from({ length: 51 }, () => segment()))).rejects.toThrow(
      'Exceeding maximum segment count: 50',
    );
  });

  test('of several versions of a segment the first completed one is kept', async () => {
    const { end_time, ...unfinished } = segment({ annotations: { version: 'started' } });
    await put({ ...unfinished, in_progress: true });
    await put({ ...unfinished, end_time, annotations: { version: 'first' } });
    await put({ ...unfinished, end_time: end_time + 5, annotations: { version: 'second' } });
    const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [unfinished.trace_id] }));
    const documents = Traces?.[0]?.Segments?.map(({ Document }) => JSON.parse(Document ?? ''));
    expect(documents).toEqual([expect.objectContaining({ annotations: { version: 'first' } })]);
  });
});

describe('BatchGetTraces', () => {
  test('nests separate subsegments, and adds inferred segments', async () => {
    const root = segment();
    const child = { type: 'subsegment', id: entityId(), trace_id: root.trace_id, parent_id: root.id };
    const times = { start_time: root.start_time, end_time: root.end_time };
    await put({ ...child, ...times, name: 'api.example', namespace: 'remote' });
    await put(root);
    const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [root.trace_id] }));
    const documents = Traces?.[0]?.Segments?.map(({ Document }) => JSON.parse(Document ?? '')) ?? [];
    expect(documents.find(({ id }) => id === root.id).subsegments).toEqual([
      expect.objectContaining({ id: child.id, name: 'api.example' }),
    ]);
    expect(documents.find(({ inferred }) => inferred)).toMatchObject({ name: 'api.example', parent_id: child.id });
    expect(Traces?.[0]).toMatchObject({ Id: root.trace_id, LimitExceeded: false, Duration: expect.closeTo(0.1) });
  });

  test('ignores unknown ids and refuses invalid, repeated and more than five ids', async () => {
    const ask = (ids: readonly string[]) => server.xray.send(new BatchGetTracesCommand({ TraceIds: [...ids] }));
    expect(await ask([traceId()])).toMatchObject({ Traces: [], UnprocessedTraceIds: [] });
    const same = traceId();
    await expect(ask(['1-2-3'])).rejects.toThrow('Invalid trace id 1-2-3: incorrect id format');
    await expect(ask([same, same])).rejects.toThrow('Containing duplicate trace ids');
    await expect(ask(Array.from({ length: 6 }, traceId))).rejects.toThrow('Exceeding maximum query size: 5');
  });
});

describe('GetTraceSummaries', () => {
  test('finds by annotation, service, HTTP, response time, outcome and their combinations', async () => {
    const documents = shopTrace('acme');
    await put(...documents);
    const id = documents[0]?.trace_id;
    for (const filter of [
      'annotation.tenant = "acme"',
      'annotation.tenant = "acme" AND annotation.attempt >= 2 annotation.beta',
      'annotation[tenant] BEGINSWITH "ac"',
      'user = "user-of-acme" AND service("stock") { fault }',
      'user = "user-of-acme" service(id(name: "carts", type: "AWS::DynamoDB::Table"))',
      'user = "user-of-acme" edge("shop", "stock") { fault }',
      'user = "user-of-acme" fault !error NOT throttle',
      'user = "user-of-acme" http.status = 502 http.method = "POST" http.url CONTAINS "/cart"',
      'user = "user-of-acme" responsetime > 0.09 duration < 1',
      'user = "user-of-acme" rootcause.fault.exception { name = "OutOfStock" }',
    ]) {
      expect(await find(filter), filter).toEqual([expect.objectContaining({ Id: id })]);
    }
    for (const filter of [
      'annotation.tenant = "other"',
      'annotation.tenant = "acme" AND ok',
      'annotation.tenant = "acme" AND annotation.attempt = "2"',
      'annotation.tenant = "acme" AND !service("stock")',
      'annotation.tenant = "acme" AND responsetime > 5',
    ]) {
      expect(await find(filter), filter).toEqual([]);
    }
  });

  test('gives every member of a summary', async () => {
    const documents = shopTrace('summary');
    await put(...documents);
    const [summary] = await find('annotation.tenant = "summary"');
    expect(summary).toMatchObject({
      Id: documents[0]?.trace_id,
      StartTime: expect.any(Date),
      Duration: expect.closeTo(0.1),
      ResponseTime: expect.closeTo(0.1),
      HasFault: true,
      HasError: false,
      HasThrottle: false,
      IsPartial: false,
      Http: { HttpURL: 'https://shop.example/cart', HttpStatus: 502, HttpMethod: 'POST' },
      Annotations: {
        tenant: [{ AnnotationValue: { StringValue: 'summary' } }],
        attempt: [{ AnnotationValue: { NumberValue: 2 } }],
        beta: [{ AnnotationValue: { BooleanValue: true } }],
      },
      Users: [{ UserName: 'user-of-summary' }],
      EntryPoint: { Name: 'shop', Names: ['shop'] },
      FaultRootCauses: [{ ClientImpacting: true }],
      Revision: 2,
    });
    expect(summary?.ServiceIds?.map(({ Name, Type }) => [Name, Type ?? null])).toEqual(
      expect.arrayContaining([
        ['shop', null],
        ['shop', 'client'],
        ['stock', null],
        ['carts', 'AWS::DynamoDB::Table'],
      ]),
    );
  });

  test('pages neither skip nor repeat, newest first, also when start times tie', async () => {
    const start = Math.floor(Date.now() / 1000) - 30;
    const documents = Array.from({ length: 250 }, (_, index) =>
      segment({ name: 'paged', start_time: start + (index % 5), end_time: start + 6 }),
    );
    for (let first = 0; first < documents.length; first += 50) await put(...documents.slice(first, first + 50));
    const found = await find('service("paged")');
    expect(new Set(found.map(({ Id }) => Id))).toEqual(new Set(documents.map(({ trace_id }) => trace_id)));
    expect(found).toHaveLength(250);
    const starts = found.map(({ StartTime }) => StartTime?.getTime() ?? 0);
    expect(starts).toEqual([...starts].sort((a, b) => b - a));
  });

  test('matches the start, the last update or the end of segments, by TimeRangeType', async () => {
    const long = segment({ name: 'long-ago', start_time: Date.now() / 1000 - 7200, end_time: Date.now() / 1000 - 10 });
    await put(long);
    const ask = async (TimeRangeType: 'TraceId' | 'Event' | 'Service') => {
      const command = { ...aroundNow(), TimeRangeType, FilterExpression: 'service("long-ago")' };
      const { TraceSummaries = [] } = await server.xray.send(new GetTraceSummariesCommand(command));
      return TraceSummaries.map(({ Id }) => Id);
    };
    expect(await ask('TraceId')).toEqual([]);
    expect(await ask('Event')).toEqual([long.trace_id]);
    expect(await ask('Service')).toEqual([long.trace_id]);
  });

  test('an invalid filter is refused with the position of the error', async () => {
    const failure = await find('fault AND').catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(InvalidRequestException);
    expect((failure as Error).message).toMatch(/^Invalid filter expression: .* at position 9$/);
  });

  test('a token of another query is refused', async () => {
    const command = new GetTraceSummariesCommand({ ...aroundNow(), NextToken: 'bm90IG91cnM' });
    await expect(server.xray.send(command)).rejects.toThrow('Invalid token');
  });
});

describe("GetTraceSummary, openray's own", () => {
  const ask = (body: object) => fetch(`${server.url}/TraceSummary`, { method: 'POST', body: JSON.stringify(body) });

  test('gives the summary of one trace by both forms of its id, the same as in a list', async () => {
    const documents = shopTrace('by-id');
    await put(...documents);
    const id = String(documents[0]?.trace_id);
    const list = await fetch(`${server.url}/TraceSummaries`, {
      method: 'POST',
      headers: { 'x-openray-extensions': '1' },
      body: JSON.stringify({ StartTime: 0, EndTime: 9e9, FilterExpression: 'annotation.tenant = "by-id"' }),
    });
    const { TraceSummaries } = (await list.json()) as { TraceSummaries: readonly object[] };
    expect(TraceSummaries).toEqual([expect.objectContaining({ Id: id, HasFault: true, SegmentCount: 2 })]);
    for (const TraceId of [id, id.slice(2).replace('-', '')]) {
      const answer = await ask({ TraceId });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ TraceSummary: TraceSummaries[0] });
    }
  });

  test('an unknown trace is not found, and an invalid id is refused', async () => {
    const unknown = await ask({ TraceId: traceId() });
    expect([unknown.status, unknown.headers.get('x-amzn-errortype')]).toEqual([404, 'ResourceNotFoundException']);
    const wrong = await ask({ TraceId: '1-2-3' });
    expect([wrong.status, wrong.headers.get('x-amzn-errortype')]).toEqual([400, 'InvalidRequestException']);
  });
});

describe('graphs and statistics', () => {
  const named = (name: string, type: string | undefined) => (service: Service) =>
    service.Name === name && (service.Type ?? undefined) === type;

  test('GetTraceGraph shows client, services and the resources they call', async () => {
    const documents = shopTrace('graph');
    await put(...documents);
    const { Services = [] } = await server.xray.send(
      new GetTraceGraphCommand({ TraceIds: [documents[0]?.trace_id as string] }),
    );
    const shop = Services.find(named('shop', undefined));
    const stock = Services.find(named('stock', undefined));
    const table = Services.find(named('carts', 'AWS::DynamoDB::Table'));
    expect(Services.find(named('shop', 'client'))?.Edges).toEqual([
      expect.objectContaining({ ReferenceId: shop?.ReferenceId }),
    ]);
    expect(shop).toMatchObject({ Root: true, State: 'active', SummaryStatistics: { TotalCount: 1, OkCount: 0 } });
    expect(shop?.Edges?.map(({ ReferenceId }) => ReferenceId).sort()).toEqual(
      [stock?.ReferenceId, table?.ReferenceId].sort(),
    );
    expect(stock?.SummaryStatistics).toMatchObject({ FaultStatistics: { TotalCount: 1 }, TotalCount: 1 });
  });

  test('GetServiceGraph and GetTimeSeriesServiceStatistics count requests that ended in the time range', async () => {
    const start = Math.floor(Date.now() / 1000) - 20;
    const documents = Array.from({ length: 12 }, (_, index) =>
      segment({ name: 'counted', start_time: start, end_time: start + 0.25, fault: index % 4 === 0 }),
    );
    await put(...documents);
    const { Services = [] } = await server.xray.send(new GetServiceGraphCommand(aroundNow()));
    const counted = Services.find(named('counted', undefined));
    expect(counted?.SummaryStatistics).toMatchObject({
      OkCount: 9,
      TotalCount: 12,
      FaultStatistics: { TotalCount: 3, OtherCount: 3 },
      TotalResponseTime: 3,
    });
    expect(counted?.ResponseTimeHistogram).toEqual([{ Value: 0.25, Count: 12 }]);

    const { TimeSeriesServiceStatistics: points = [] } = await server.xray.send(
      new GetTimeSeriesServiceStatisticsCommand({
        ...aroundNow(),
        EndTime: new Date(Date.now() + 120_000),
        Period: 60,
        EntitySelectorExpression: 'service("counted")',
      }),
    );
    expect(points).toEqual([expect.objectContaining({ Timestamp: new Date(Math.ceil((start + 0.25) / 60) * 60_000) })]);
    expect(points[0]?.ServiceSummaryStatistics).toMatchObject({ OkCount: 9, TotalCount: 12 });
  });
});

describe('sampling', () => {
  test('the Default rule exists, which SDKs need', async () => {
    const { SamplingRuleRecords } = await server.xray.send(new GetSamplingRulesCommand({}));
    expect(SamplingRuleRecords?.at(-1)?.SamplingRule).toMatchObject({
      RuleName: 'Default',
      Priority: 10_000,
      FixedRate: 0.05,
      ReservoirSize: 1,
      Version: 1,
      ResourceARN: '*',
      Attributes: {},
    });
  });

  test("SDKs' pollers are answered without signature, content type or body", async () => {
    for (const body of ['{"NextToken":null}', '{}', undefined]) {
      const answer = await fetch(`${server.url}/GetSamplingRules`, { method: 'POST', ...(body ? { body } : {}) });
      expect(answer.status).toBe(200);
    }
  });

  test('the second report of a client gets a quota; an unknown rule is reported', async () => {
    const report = (RuleName: string) =>
      server.xray.send(
        new GetSamplingTargetsCommand({
          SamplingStatisticsDocuments: [
            {
              RuleName,
              ClientID: 'abcdefabcdefabcdefabcdef',
              Timestamp: new Date(),
              RequestCount: 10,
              SampledCount: 1,
              BorrowCount: 1,
            },
          ],
        }),
      );
    expect((await report('Default')).SamplingTargetDocuments).toEqual([
      expect.objectContaining({ RuleName: 'Default', FixedRate: 0.05 }),
    ]);
    expect((await report('Default')).SamplingTargetDocuments).toEqual([
      expect.objectContaining({ ReservoirQuota: 1, Interval: 10, ReservoirQuotaTTL: expect.any(Date) }),
    ]);
    expect((await report('unknown')).UnprocessedStatistics).toEqual([
      { RuleName: 'unknown', ErrorCode: '400', Message: 'Unknown rule' },
    ]);
  });

  test("a daemon's telemetry is accepted", async () => {
    const command = new PutTelemetryRecordsCommand({ TelemetryRecords: [{ Timestamp: new Date() }], Hostname: '' });
    expect((await server.xray.send(command)).$metadata.httpStatusCode).toBe(200);
  });
});

describe('errors', () => {
  const post = (path: string, body: string) => fetch(`${server.url}${path}`, { method: 'POST', body });

  test.each([
    ['/TraceSummaries', 'not json', 400, 'SerializationException'],
    ['/TraceSummaries', '[]', 400, 'SerializationException'],
    ['/TraceSummaries', '{}', 400, 'InvalidRequestException'],
    ['/TraceSummaries', '{"StartTime":"yesterday","EndTime":1}', 400, 'InvalidRequestException'],
    ['/TraceSummaries', '{"StartTime":2,"EndTime":1}', 400, 'InvalidRequestException'],
    ['/NoSuchThing', '{}', 404, 'UnknownOperationException'],
  ])('%s with %s is %i %s, in header and body', async (path, body, status, code) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-amzn-errortype')).toBe(code);
    expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await answer.json()).toEqual({ __type: code, Message: expect.any(String) });
  });

  test('a query whose caller disconnects is cancelled, and the server stays healthy', async () => {
    const calls = Array.from({ length: 20 }, () => {
      const body = JSON.stringify({ StartTime: 0, EndTime: Date.now() / 1000, FilterExpression: 'service("unknown")' });
      return fetch(`${server.url}/TraceSummaries`, { method: 'POST', body, signal: AbortSignal.timeout(5) });
    });
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
    expect((await post('/GetSamplingRules', '{}')).status).toBe(200);
    expect(server.output()).not.toContain('Warning');
  });

  test('requests from pages of other sites are refused', async () => {
    const answer = await fetch(`${server.url}/GetSamplingRules`, {
      method: 'POST',
      headers: { origin: 'https://elsewhere.example' },
    });
    expect(answer.status).toBe(403);
  });
});

test('BatchGetTraces names the segment whose clock disagrees with its caller', async () => {
  const now = Math.floor(Date.now() / 1000);
  const traceId = `1-${now.toString(16).padStart(8, '0')}-${entityId()}${entityId().slice(0, 8)}`;
  const [root, call, callee] = [entityId(), entityId(), entityId()];
  const subsegments = [{ id: call, name: 'stock', namespace: 'remote', start_time: now, end_time: now + 1 }];
  const documents = [
    { id: root, name: 'shop', trace_id: traceId, start_time: now, end_time: now + 1, subsegments },
    { id: callee, name: 'stock', trace_id: traceId, parent_id: call, start_time: now - 3600, end_time: now - 3599 },
  ];
  const post = (path: string, body: object) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-openray-extensions': '1' },
      body: JSON.stringify(body),
    });
  await post('/TraceSegments', { TraceSegmentDocuments: documents.map((one) => JSON.stringify(one)) });
  const response = await (await post('/Traces', { TraceIds: [traceId] })).json();
  expect(response.Traces[0].ClockSkews).toEqual([{ Id: callee, ParentId: call, Seconds: -3600 }]);
});
