import type { ServiceId } from '../model/graph.ts';
import type { Identity } from './ast.ts';
import { accept, type Cursor, FilterSyntaxError, fail, rangeFrom, require, requireString } from './cursor.ts';

/** A name in quotes or `id(name: …, type: …, account.id: …)`, each member at most once. */
export function parseIdentity(cursor: Cursor): Identity {
  const { start } = cursor.token;
  if (accept(cursor, 'id')) return parseMembers(cursor, start);
  const name = requireString(cursor, 'service name', 'a quoted name or id(…)');
  return { name, type: undefined, accountId: undefined, range: rangeFrom(cursor, start) };
}

/** The two ends of an edge, `from, to`. */
export function parseEnds(cursor: Cursor): { readonly from: Identity; readonly to: Identity } {
  const from = parseIdentity(cursor);
  require(cursor, ',');
  return { from, to: parseIdentity(cursor) };
}

const MEMBERS = {
  name: { member: 'name', of: 'service name' },
  type: { member: 'type', of: 'service type' },
  'account.id': { member: 'accountId', of: 'account id' },
} as const;
const MEMBER_NAMES = ['name', 'type', 'account.id'] as const;

function parseMembers(cursor: Cursor, start: number): Identity {
  const given = new Map<string, string>();
  require(cursor, '(');
  do {
    const at = cursor.token.start;
    const name = MEMBER_NAMES.find((known) => accept(cursor, known));
    if (name === undefined) return fail(cursor, 'expected name, type or account.id');
    const { member, of } = MEMBERS[name];
    if (given.has(member)) throw new FilterSyntaxError(`${name} is given twice`, at);
    require(cursor, ':');
    given.set(member, requireString(cursor, of, 'a quoted string'));
  } while (accept(cursor, ','));
  require(cursor, ')');
  return {
    name: given.get('name'),
    type: given.get('type'),
    accountId: given.get('accountId'),
    range: rangeFrom(cursor, start),
  };
}

/** Whether `service` is one that `identity` means. */
export function selectsService(identity: Identity, service: ServiceId): boolean {
  return (
    (identity.name === undefined || identity.name === service.name) &&
    (identity.type === undefined || identity.type === service.type) &&
    (identity.accountId === undefined || identity.accountId === service.accountId)
  );
}
