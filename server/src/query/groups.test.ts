import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseFilter } from '../filter/parser.ts';
import { listObjects, readObject, replaceObject } from '../store/objects.ts';
import type { Store } from '../store/store.ts';
import { makeTestDirectory, openTestStore } from '../store/testing/open-test-store.ts';
import { STORES, type StoreLocation } from '../store/testing/stores.ts';
import {
  changeGroup,
  createGroup,
  deleteGroup,
  findGroup,
  groupArn,
  listGroups,
  resolveGroups,
  type StoredGroup,
} from './groups.ts';

const OWNER = { region: 'eu-west-1', accountId: '123456789012' };

function aGroup(name: string, expression = 'fault'): Omit<StoredGroup, 'id'> {
  return { name, expression, insights: { isEnabled: false, sendsNotifications: false }, tags: [] };
}

describe.each(STORES)('groups on the $name', ({ make }) => {
  let location: StoreLocation;
  let store: Store;

  beforeAll(async () => {
    location = await make();
    store = await location.open();
  });

  afterAll(async () => {
    await store.close();
    await location.remove();
  });

  beforeEach(async () => {
    for (const { name } of await listObjects(store, 'group')) {
      const group = { kind: 'group', name };
      await replaceObject(store, group, await readObject(store, group), undefined);
    }
  });

  const create = (name: string, expression?: string) => createGroup(store, OWNER, aGroup(name, expression));
  const withExpression = (expression: string) => (group: StoredGroup) => ({ ...group, expression });

  test('a group is found by name and by ARN; a new group of the same name has another ARN', async () => {
    const first = await create('slow', 'duration > 5');
    const arn = groupArn(OWNER, first);
    expect(arn).toMatch(/^arn:aws:xray:eu-west-1:123456789012:group\/slow\/[A-Z2-7]{52}$/);
    expect(await findGroup(store, OWNER, { by: 'name', value: 'slow' })).toEqual(first);
    expect(await findGroup(store, OWNER, { by: 'arn', value: arn })).toEqual(first);
    expect(await findGroup(store, OWNER, { by: 'name', value: 'Slow' })).toBeUndefined();
    expect(await deleteGroup(store, OWNER, { by: 'arn', value: arn })).toBe(true);
    const second = await create('slow', 'duration > 6');
    expect(await findGroup(store, OWNER, { by: 'arn', value: arn })).toBeUndefined();
    expect(await deleteGroup(store, OWNER, { by: 'arn', value: arn })).toBe(false);
    expect(await listGroups(store)).toEqual([expect.objectContaining({ name: 'Default' }), second]);
  });

  test('one of many concurrent creations succeeds, and all concurrent changes are applied', async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 4 }, (_, index) => create('raced', `duration > ${index}`)),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const tag = (key: string) => (group: StoredGroup) => ({ ...group, tags: [...group.tags, { key, value: '' }] });
    const keys = ['a', 'b', 'c'];
    await Promise.all(keys.map((key) => changeGroup(store, OWNER, { by: 'name', value: 'raced' }, tag(key))));
    const changed = await findGroup(store, OWNER, { by: 'name', value: 'raced' });
    expect(changed?.tags.map(({ key }) => key).sort()).toEqual(keys);
  });

  test('Default always exists, can be changed, and can be neither created nor deleted', async () => {
    const all = { by: 'name', value: 'Default' } as const;
    expect(await findGroup(store, OWNER, all)).toMatchObject({ id: undefined, expression: undefined });
    expect(
      await findGroup(store, OWNER, { by: 'arn', value: groupArn(OWNER, { name: 'Default', id: undefined }) }),
    ).toEqual(await findGroup(store, OWNER, all));
    const on = { isEnabled: true, sendsNotifications: false };
    await changeGroup(store, OWNER, all, (group) => ({ ...group, insights: on }));
    expect(await listGroups(store)).toEqual([expect.objectContaining({ name: 'Default', insights: on })]);
    await expect(create('Default')).rejects.toThrow('Default already exists');
    await expect(deleteGroup(store, OWNER, all)).rejects.toThrow('cannot be deleted');
  });

  test('a filter that would close a circle is rejected, and nothing is changed', async () => {
    await create('a', 'fault OR group.name = "b"');
    await expect(create('b', 'group.name = "a"')).rejects.toThrow('groups name each other');
    await expect(create('own', '!group.name = "own"')).rejects.toThrow('groups name each other');
    await create('b', 'ok');
    const change = changeGroup(store, OWNER, { by: 'name', value: 'b' }, withExpression('group.name != "a"'));
    await expect(change).rejects.toThrow('groups name each other');
    expect((await listGroups(store)).map(({ expression }) => expression)).toEqual([
      undefined,
      'fault OR group.name = "b"',
      'ok',
    ]);
    expect(await changeGroup(store, OWNER, { by: 'name', value: 'c' }, withExpression('ok'))).toBeUndefined();
  });

  test('a filter uses the groups as they are now', async () => {
    const { id } = await create('slow', 'duration > 5');
    const arn = groupArn(OWNER, { name: 'slow', id });
    const resolved = async (text: string) => (await resolveGroups(store, OWNER, parseFilter(text))).condition;
    expect(await resolved(`group.arn = "${arn}"`)).toEqual(parseFilter('duration > 5').condition);
    await changeGroup(store, OWNER, { by: 'name', value: 'slow' }, withExpression('duration > 7'));
    expect(await resolved('group.name = "slow"')).toEqual(parseFilter('duration > 7').condition);
    expect(await resolved('group.name = "Default"')).toMatchObject({ kind: 'all' });
    expect(await resolved('group.name = "nowhere"')).toMatchObject({ kind: 'not', operand: { kind: 'all' } });
  });

  test('the limit is 25 groups beside Default', async () => {
    for (let index = 0; index < 25; index += 1) await create(`g${index}`);
    await expect(create('g25')).rejects.toThrow('25 groups');
    await deleteGroup(store, OWNER, { by: 'name', value: 'g3' });
    await create('g25');
    expect(await listGroups(store)).toHaveLength(26);
  });
});

test('while the engine is away, groups are as they were read last, and none is changed', async () => {
  const directory = await makeTestDirectory();
  const store = await openTestStore(directory.path);
  const slow = await createGroup(store, OWNER, aGroup('slow'));
  process.kill(store.engineProcess()?.pid ?? 0, 'SIGKILL');
  const [listed, found, unknown, created] = await Promise.allSettled([
    listGroups(store),
    findGroup(store, OWNER, { by: 'arn', value: groupArn(OWNER, slow) }),
    findGroup(store, OWNER, { by: 'name', value: 'fast' }),
    createGroup(store, OWNER, aGroup('fast')),
  ]);
  expect(listed).toMatchObject({ value: [{ name: 'Default' }, slow] });
  expect(found).toMatchObject({ value: slow });
  expect(unknown).toEqual({ status: 'fulfilled', value: undefined });
  expect(created).toMatchObject({ reason: { code: 'ServiceUnavailable' } });
  await store.close();
  await directory.remove();
});
