import { randomBytes } from 'node:crypto';
import { OpenrayError } from '../errors.ts';
import type { Condition, Filter } from '../filter/ast.ts';
import { expandGroups, type GroupLookup } from '../filter/groups.ts';
import { parseFilter } from '../filter/parser.ts';
import { listObjects, readObject, replaceObject, type StoredObject } from '../store/objects.ts';
import type { Store } from '../store/store.ts';

/**
 * A named filter, kept in the store. Which traces are in it is decided when somebody asks, by the filter that it has then.
 */
export type StoredGroup = {
  readonly name: string;
  /** Of a group that is made again it is another one. `Default` has none. */
  readonly id: string | undefined;
  /** Undefined for `Default`, which every trace is in. */
  readonly expression: string | undefined;
  readonly insights: InsightsSettings;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
};

export type InsightsSettings = { readonly isEnabled: boolean; readonly sendsNotifications: boolean };

/** What ARNs are made of beside the group. */
export type GroupOwner = { readonly region: string; readonly accountId: string };

export type GroupReference = { readonly by: 'name' | 'arn'; readonly value: string };

export const DEFAULT_GROUP = 'Default';
const MAX_GROUPS = 25;
const KIND = 'group';
/** Changes that lose against changes of others are tried again so often. */
const MAX_ATTEMPTS = 5;

const INITIAL_DEFAULT_GROUP: StoredGroup = {
  name: DEFAULT_GROUP,
  id: undefined,
  expression: undefined,
  insights: { isEnabled: false, sendsNotifications: false },
  tags: [],
};

export function groupArn({ region, accountId }: GroupOwner, { name, id }: Pick<StoredGroup, 'name' | 'id'>): string {
  return `arn:aws:xray:${region}:${accountId}:group/${name}${id === undefined ? '' : `/${id}`}`;
}

/** `Default` first, the others by name. */
export async function listGroups(store: Store): Promise<readonly StoredGroup[]> {
  const groups = (await listObjects(store, KIND)).map(({ body }) => readGroup(body));
  const ofAll = groups.find(({ name }) => name === DEFAULT_GROUP) ?? INITIAL_DEFAULT_GROUP;
  return [ofAll, ...groups.filter(({ name }) => name !== DEFAULT_GROUP)];
}

export async function findGroup(
  store: Store,
  owner: GroupOwner,
  reference: GroupReference,
): Promise<StoredGroup | undefined> {
  return (await findVersion(store, owner, reference)).group;
}

/**
 * Stores a group that has not been there. Throws InvalidRequestException when its name is taken, when there are as many
 * groups as there may be, and when its filter and those of others would name each other in a circle.
 */
export async function createGroup(
  store: Store,
  owner: GroupOwner,
  group: Omit<StoredGroup, 'id'>,
): Promise<StoredGroup> {
  const made: StoredGroup = { ...group, id: newGroupId() };
  for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
    const before = await readObject(store, { kind: KIND, name: made.name });
    if (before?.body !== undefined || made.name === DEFAULT_GROUP) {
      throw new OpenrayError('InvalidRequestException', `${made.name} already exists`);
    }
    const groups = await listGroups(store);
    if (groups.length > MAX_GROUPS) {
      throw new OpenrayError('InvalidRequestException', `There are ${MAX_GROUPS} groups, more than that are not kept`);
    }
    rejectCircularGroups(owner, made, groups);
    if (await writeGroup(store, made.name, before, made)) return made;
  }
  throw concurrentChangeFailure(made.name);
}

/**
 * Stores what `change` makes of the group; undefined when there is no such group. `change` may be called again when
 * somebody else was first. Throws what it throws, and InvalidRequestException for filters that go round in circles.
 */
export async function changeGroup(
  store: Store,
  owner: GroupOwner,
  reference: GroupReference,
  change: (group: StoredGroup) => StoredGroup,
): Promise<StoredGroup | undefined> {
  for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
    const { version, group } = await findVersion(store, owner, reference);
    if (group === undefined) return undefined;
    const changed = change(group);
    if (changed.expression !== group.expression) rejectCircularGroups(owner, changed, await listGroups(store));
    if (await writeGroup(store, group.name, version, changed)) return changed;
  }
  throw concurrentChangeFailure(reference.value);
}

/** False when there is no such group. `Default` can not be deleted. */
export async function deleteGroup(store: Store, owner: GroupOwner, reference: GroupReference): Promise<boolean> {
  for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
    const { version, group } = await findVersion(store, owner, reference);
    if (group === undefined) return false;
    if (group.name === DEFAULT_GROUP) {
      throw new OpenrayError('InvalidRequestException', 'The Default group can not be deleted');
    }
    if (await writeGroup(store, group.name, version, undefined)) return true;
  }
  throw concurrentChangeFailure(reference.value);
}

/** The same filter without groups: each is replaced by what its filter asks for now. */
export async function resolveGroups(store: Store, owner: GroupOwner, filter: Filter): Promise<Filter> {
  if (!namesGroup(filter.condition)) return filter;
  return expandGroups(filter, groupLookup(owner, await listGroups(store)));
}

export function groupLookup(owner: GroupOwner, groups: readonly StoredGroup[]): GroupLookup {
  return (by, value) => {
    const found = groups.find((group) => value === (by === 'name' ? group.name : groupArn(owner, group)));
    if (found === undefined) return undefined;
    const { name, expression } = found;
    return { name, filter: expression === undefined ? undefined : parseFilter(expression) };
  };
}

/** Groups can only be named outside braces. */
export function namesGroup(condition: Condition): boolean {
  switch (condition.kind) {
    case 'group':
      return true;
    case 'and':
    case 'or':
      return condition.operands.some(namesGroup);
    case 'not':
      return namesGroup(condition.operand);
    default:
      return false;
  }
}

function rejectCircularGroups(owner: GroupOwner, group: StoredGroup, others: readonly StoredGroup[]): void {
  if (group.expression === undefined) return;
  const groups = [...others.filter(({ name }) => name !== group.name), group];
  expandGroups(parseFilter(`group.name = ${JSON.stringify(group.name)}`), groupLookup(owner, groups));
}

type GroupVersion = { readonly version: StoredObject | undefined; readonly group: StoredGroup | undefined };

async function findVersion(store: Store, owner: GroupOwner, { by, value }: GroupReference): Promise<GroupVersion> {
  const name = by === 'name' ? value : (/:group\/([^/]+)/.exec(value)?.[1] ?? '');
  const version = await readObject(store, { kind: KIND, name });
  const stored = version?.body === undefined ? undefined : readGroup(version.body);
  const group = stored ?? (name === DEFAULT_GROUP ? INITIAL_DEFAULT_GROUP : undefined);
  const isMeant = group !== undefined && (by === 'name' || groupArn(owner, group) === value);
  return { version, group: isMeant ? group : undefined };
}

function readGroup(body: string): StoredGroup {
  return JSON.parse(body);
}

function writeGroup(store: Store, name: string, before: StoredObject | undefined, group: StoredGroup | undefined) {
  return replaceObject(store, { kind: KIND, name }, before, group && JSON.stringify(group));
}

function concurrentChangeFailure(name: string): OpenrayError {
  return new OpenrayError('ThrottledException', `${name} is being changed by others; try again`);
}

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ID_LENGTH = 52;

function newGroupId(): string {
  return Array.from(randomBytes(ID_LENGTH), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');
}
