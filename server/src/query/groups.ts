import { randomBytes } from 'node:crypto';
import { OpenrayError } from '../errors.ts';
import type { Condition, Filter } from '../filter/ast.ts';
import { expandGroups, type GroupLookup } from '../filter/groups.ts';
import { parseFilter } from '../filter/parser.ts';
import { isStoreAway, listObjects, readObject, replaceObject, type StoredObject } from '../store/objects.ts';
import type { Store } from '../store/store.ts';

/** A named filter in the store. Membership is evaluated at query time, by the current filter. */
export type StoredGroup = {
  readonly name: string;
  /** A group that is deleted and created again gets another id. `Default` has none. */
  readonly id: string | undefined;
  /** Undefined for `Default`, which contains every trace. */
  readonly expression: string | undefined;
  readonly insights: InsightsSettings;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
};

export type InsightsSettings = { readonly isEnabled: boolean; readonly sendsNotifications: boolean };

/** The parts of an ARN other than the group. */
export type GroupOwner = { readonly region: string; readonly accountId: string };

export type GroupReference = { readonly by: 'name' | 'arn'; readonly value: string };

export const DEFAULT_GROUP = 'Default';
const MAX_GROUPS = 25;
const KIND = 'group';
/** Attempts of a change, each after a concurrent change was stored first. */
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

/** The last result of `listGroups` of each store, for the time in which ClickHouse is away. */
const lastLists = new WeakMap<Store, readonly StoredGroup[]>();

/** `Default` first, the others by name. While ClickHouse is away, as they were when this server last read them. */
export async function listGroups(store: Store): Promise<readonly StoredGroup[]> {
  try {
    const groups = await readGroups(store);
    lastLists.set(store, groups);
    return groups;
  } catch (thrown) {
    const last = lastLists.get(store);
    if (last === undefined || !isStoreAway(thrown)) throw thrown;
    return last;
  }
}

async function readGroups(store: Store): Promise<readonly StoredGroup[]> {
  const groups = (await listObjects(store, KIND)).map(({ body }) => readGroup(body));
  const defaultGroup = groups.find(({ name }) => name === DEFAULT_GROUP) ?? INITIAL_DEFAULT_GROUP;
  return [defaultGroup, ...groups.filter(({ name }) => name !== DEFAULT_GROUP)];
}

/** As `listGroups`. */
export async function findGroup(
  store: Store,
  owner: GroupOwner,
  reference: GroupReference,
): Promise<StoredGroup | undefined> {
  return (await listGroups(store)).find(isReferenced(owner, reference));
}

const isReferenced =
  (owner: GroupOwner, { by, value }: GroupReference) =>
  (group: StoredGroup): boolean =>
    value === (by === 'name' ? group.name : groupArn(owner, group));

/**
 * Stores a new group. Throws InvalidRequestException when the name exists, when MAX_GROUPS is reached, and when the
 * filters of groups would name each other in a circle.
 */
export async function createGroup(
  store: Store,
  owner: GroupOwner,
  group: Omit<StoredGroup, 'id'>,
): Promise<StoredGroup> {
  const created: StoredGroup = { ...group, id: newGroupId() };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const before = await readObject(store, { kind: KIND, name: created.name });
    if (before?.body !== undefined || created.name === DEFAULT_GROUP) {
      throw new OpenrayError('InvalidRequestException', `${created.name} already exists`);
    }
    const groups = await readGroups(store);
    if (groups.length > MAX_GROUPS) {
      throw new OpenrayError('InvalidRequestException', `The limit of ${MAX_GROUPS} groups is reached`);
    }
    rejectCircularGroups(owner, created, groups);
    if (await writeGroup(store, created.name, before, created)) return created;
  }
  throw concurrentChangeFailure(created.name);
}

/**
 * Stores the result of `change`; undefined when there is no such group. `change` is called again after a concurrent
 * change. Throws the errors of `change`, and InvalidRequestException when filters of groups would name each other in a
 * circle.
 */
export async function changeGroup(
  store: Store,
  owner: GroupOwner,
  reference: GroupReference,
  change: (group: StoredGroup) => StoredGroup,
): Promise<StoredGroup | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { version, group } = await findVersion(store, owner, reference);
    if (group === undefined) return undefined;
    const changed = change(group);
    if (changed.expression !== group.expression) rejectCircularGroups(owner, changed, await readGroups(store));
    if (await writeGroup(store, group.name, version, changed)) return changed;
  }
  throw concurrentChangeFailure(reference.value);
}

/** False when there is no such group. Throws InvalidRequestException for `Default`. */
export async function deleteGroup(store: Store, owner: GroupOwner, reference: GroupReference): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { version, group } = await findVersion(store, owner, reference);
    if (group === undefined) return false;
    if (group.name === DEFAULT_GROUP) {
      throw new OpenrayError('InvalidRequestException', 'The Default group cannot be deleted');
    }
    if (await writeGroup(store, group.name, version, undefined)) return true;
  }
  throw concurrentChangeFailure(reference.value);
}

/** The filter with each group replaced by its current filter. */
export async function resolveGroups(store: Store, owner: GroupOwner, filter: Filter): Promise<Filter> {
  if (!namesGroup(filter.condition)) return filter;
  return expandGroups(filter, groupLookup(owner, await listGroups(store)));
}

export function groupLookup(owner: GroupOwner, groups: readonly StoredGroup[]): GroupLookup {
  return (by, value) => {
    const found = groups.find(isReferenced(owner, { by, value }));
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

async function findVersion(store: Store, owner: GroupOwner, reference: GroupReference): Promise<GroupVersion> {
  const { by, value } = reference;
  const name = by === 'name' ? value : (/:group\/([^/]+)/.exec(value)?.[1] ?? '');
  const version = await readObject(store, { kind: KIND, name });
  const stored = version?.body === undefined ? undefined : readGroup(version.body);
  const group = stored ?? (name === DEFAULT_GROUP ? INITIAL_DEFAULT_GROUP : undefined);
  const isFound = group !== undefined && isReferenced(owner, reference)(group);
  return { version, group: isFound ? group : undefined };
}

function readGroup(body: string): StoredGroup {
  return JSON.parse(body);
}

async function writeGroup(
  store: Store,
  name: string,
  before: StoredObject | undefined,
  group: StoredGroup | undefined,
): Promise<boolean> {
  const isWritten = await replaceObject(store, { kind: KIND, name }, before, group && JSON.stringify(group));
  // The change is made, whether or not it can be read now.
  if (isWritten) await listGroups(store).catch(() => {});
  return isWritten;
}

function concurrentChangeFailure(name: string): OpenrayError {
  return new OpenrayError('ThrottledException', `${name} was changed concurrently; try again`);
}

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ID_LENGTH = 52;

function newGroupId(): string {
  return Array.from(randomBytes(ID_LENGTH), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');
}
