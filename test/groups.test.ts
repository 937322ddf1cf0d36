import {
  CreateGroupCommand,
  type CreateGroupCommandInput,
  DeleteGroupCommand,
  GetGroupCommand,
  GetGroupsCommand,
  GetServiceGraphCommand,
  GetTimeSeriesServiceStatisticsCommand,
  GetTraceSummariesCommand,
  InvalidRequestException,
  PutTraceSegmentsCommand,
  paginateGetGroups,
  UpdateGroupCommand,
} from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aroundNow, type Fields, segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(['--region', 'eu-west-1', '--account-id', '123456789012']);
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

const put = (...documents: readonly Fields[]) =>
  server.xray.send(
    new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) }),
  );
const create = (input: CreateGroupCommandInput) => server.xray.send(new CreateGroupCommand(input));
const OFF = { InsightsEnabled: false, NotificationsEnabled: false };

describe('groups', () => {
  test('are created, read, changed and deleted', async () => {
    const { Group: made } = await create({
      GroupName: 'slow',
      FilterExpression: 'responsetime > 5',
      InsightsConfiguration: { InsightsEnabled: true },
      Tags: [{ Key: 'team', Value: 'orders' }],
    });
    expect(made).toEqual({
      GroupName: 'slow',
      GroupARN: expect.stringMatching(/^arn:aws:xray:eu-west-1:123456789012:group\/slow\/[A-Z2-7]{52}$/),
      FilterExpression: 'responsetime > 5',
      InsightsConfiguration: { InsightsEnabled: true, NotificationsEnabled: false },
    });
    const GroupARN = made?.GroupARN;
    expect((await server.xray.send(new GetGroupCommand({ GroupName: 'slow' }))).Group).toEqual(made);
    expect((await server.xray.send(new GetGroupCommand({ GroupARN }))).Group).toEqual(made);

    const change = { GroupName: 'slow', FilterExpression: 'responsetime > 9' };
    const { Group: changed } = await server.xray.send(new UpdateGroupCommand(change));
    expect(changed).toEqual({ ...made, FilterExpression: 'responsetime > 9' });
    const switched = { GroupARN, InsightsConfiguration: { InsightsEnabled: true, NotificationsEnabled: true } };
    expect((await server.xray.send(new UpdateGroupCommand(switched))).Group).toEqual({
      ...changed,
      InsightsConfiguration: switched.InsightsConfiguration,
    });

    const pages = [];
    for await (const page of paginateGetGroups({ client: server.xray }, {})) pages.push(page.Groups);
    expect(pages).toEqual([
      [
        {
          GroupName: 'Default',
          GroupARN: 'arn:aws:xray:eu-west-1:123456789012:group/Default',
          InsightsConfiguration: OFF,
        },
        { ...changed, InsightsConfiguration: switched.InsightsConfiguration },
      ],
    ]);
    await server.xray.send(new DeleteGroupCommand({ GroupARN }));
    await expect(server.xray.send(new GetGroupCommand({ GroupARN }))).rejects.toThrow('Group not found');
  });

  test('survive a crash of the server', async () => {
    const { Group: made } = await create({ GroupName: 'kept', FilterExpression: 'fault' });
    server = await server.crashAndRestart();
    expect((await server.xray.send(new GetGroupCommand({ GroupName: 'kept' }))).Group).toEqual(made);
  });

  test.each<[CreateGroupCommandInput, string]>([
    [{ GroupName: 'Default', FilterExpression: 'fault' }, 'Default is a reserved group name'],
    [{ GroupName: 'used', FilterExpression: 'fault' }, 'used already exists'],
    [{ GroupName: 'under_score', FilterExpression: 'fault' }, 'GroupName: must be 1 to 32'],
    [{ GroupName: 'a'.repeat(33), FilterExpression: 'fault' }, 'GroupName: must be 1 to 32'],
    [{ GroupName: undefined, FilterExpression: 'fault' }, 'GroupName'],
    [{ GroupName: 'none' }, 'Filter Expression is empty'],
    [{ GroupName: 'blank', FilterExpression: ' \n' }, 'Filter Expression is empty'],
    [{ GroupName: 'bad', FilterExpression: 'fault AND' }, 'Invalid filter expression'],
    [{ GroupName: 'own', FilterExpression: 'group.name = "own"' }, 'groups name each other'],
    [
      { GroupName: 'notified', FilterExpression: 'fault', InsightsConfiguration: { NotificationsEnabled: true } },
      'Notifications can only be enabled together with insights',
    ],
    [{ GroupName: 'tag', FilterExpression: 'fault', Tags: [{ Key: 'aws:x', Value: '' }] }, 'begin with aws:'],
    [
      {
        GroupName: 'tag',
        FilterExpression: 'fault',
        Tags: [
          { Key: 'x', Value: '1' },
          { Key: 'x', Value: '2' },
        ],
      },
      'must be unique',
    ],
  ])('%j is refused', async (input, sentence) => {
    await create({ GroupName: 'used', FilterExpression: 'ok' }).catch(() => undefined);
    const failure = await create(input).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(InvalidRequestException);
    expect((failure as Error).message).toContain(sentence);
  });

  test('an unknown group, a missing name and changes of Default are refused', async () => {
    const { xray } = server;
    const unknown = { GroupName: 'nowhere' };
    await expect(xray.send(new GetGroupCommand(unknown))).rejects.toThrow(/^Group not found$/);
    await expect(xray.send(new UpdateGroupCommand(unknown))).rejects.toThrow(/^Group not found$/);
    await expect(xray.send(new DeleteGroupCommand(unknown))).rejects.toThrow(/^Group not found$/);
    await expect(xray.send(new GetGroupCommand({}))).rejects.toThrow('Exactly one of');
    await expect(xray.send(new GetGroupCommand({ ...unknown, GroupARN: 'arn' }))).rejects.toThrow('Exactly one of');
    await expect(xray.send(new DeleteGroupCommand({ GroupName: 'Default' }))).rejects.toThrow('cannot be deleted');
    const refiltered = new UpdateGroupCommand({ GroupName: 'Default', FilterExpression: 'fault' });
    await expect(xray.send(refiltered)).rejects.toThrow('cannot have a filter');
    await expect(xray.send(new GetGroupsCommand({ NextToken: 'x' }))).rejects.toThrow('Next Token not supported');
    const asked = { ...aroundNow(), ...unknown };
    await expect(xray.send(new GetServiceGraphCommand(asked))).rejects.toThrow(/^Group not found\.$/);
    await expect(xray.send(new GetTimeSeriesServiceStatisticsCommand(asked))).rejects.toThrow(/^Group not found\.$/);
  });
});

test('graphs, time series, lists, exports and waiting select the traces of a group', async () => {
  const end_time = Math.floor(Date.now() / 1000) - 20.5;
  const times = { start_time: end_time - 0.25, end_time };
  const cart = (customer: string, more: Fields = {}) =>
    segment({ name: 'cart', ...times, annotations: { customer }, ...more });
  const acme = [cart('acme'), cart('acme', { fault: true })];
  await put(...acme, cart('other'), segment({ name: 'elsewhere', ...times }));
  const { Group } = await create({ GroupName: 'acme', FilterExpression: 'annotation.customer = "acme"' });
  const GroupARN = Group?.GroupARN;

  const graph = async (members: object) => {
    const asked = new GetServiceGraphCommand({ ...aroundNow(), ...members });
    const { Services = [], ContainsOldGroupVersions } = await server.xray.send(asked);
    expect(ContainsOldGroupVersions).toBe(false);
    return Object.fromEntries(
      Services.filter(({ Type }) => Type !== 'client').map(({ Name, SummaryStatistics }) => [
        Name,
        SummaryStatistics?.TotalCount,
      ]),
    );
  };
  expect(await graph({ GroupName: 'acme' })).toEqual({ cart: 2 });
  expect(await graph({ GroupARN })).toEqual({ cart: 2 });
  expect(await graph({ GroupName: 'Default' })).toMatchObject({ cart: 3, elsewhere: 1 });

  const series = new GetTimeSeriesServiceStatisticsCommand({
    ...aroundNow(),
    EndTime: new Date(Date.now() + 120_000),
    GroupName: 'acme',
    EntitySelectorExpression: 'service("cart")',
  });
  const { TimeSeriesServiceStatistics: points } = await server.xray.send(series);
  expect(points).toEqual([
    expect.objectContaining({
      Timestamp: new Date(Math.ceil(end_time / 60) * 60_000),
      ServiceSummaryStatistics: expect.objectContaining({ OkCount: 1, TotalCount: 2 }),
    }),
  ]);

  const listed = async (FilterExpression: string) => {
    const asked = new GetTraceSummariesCommand({ ...aroundNow(), FilterExpression });
    return (await server.xray.send(asked)).TraceSummaries?.map(({ Id }) => Id);
  };
  expect(await listed(`group.arn = "${GroupARN}" AND fault`)).toEqual([acme[1]?.trace_id]);
  expect(await listed('group.name != "acme" AND service("cart")')).toHaveLength(1);
  expect(await listed('group.name = "nowhere"')).toEqual([]);
  const ofGroup = await fetch(`${server.url}/TraceSummaries`, {
    method: 'POST',
    body: JSON.stringify({ StartTime: 0, EndTime: Date.now() / 1000, GroupName: 'acme', FilterExpression: 'ok' }),
  });
  expect(await ofGroup.json()).toMatchObject({ TraceSummaries: [{ Id: acme[0]?.trace_id }] });

  const exported = await fetch(`${server.url}/export/traces?filter=${encodeURIComponent('group.name = "acme"')}`);
  expect((await exported.text()).trim().split('\n')).toHaveLength(2);
  const waited = await fetch(`${server.url}/WaitForTrace`, {
    method: 'POST',
    body: JSON.stringify({ FilterExpression: 'group.name = "acme" AND fault', TimeoutSeconds: 5 }),
  });
  expect(await waited.json()).toMatchObject({ Found: true, TraceId: acme[1]?.trace_id });

  await server.xray.send(new UpdateGroupCommand({ GroupARN, FilterExpression: 'service("elsewhere")' }));
  expect(await graph({ GroupName: 'acme' })).toEqual({ elsewhere: 1 });
});
