import type { ServiceId } from '../model/graph.ts';
import type { Identity } from './ast.ts';
import { accept, type Cursor, expect, expectString, FilterSyntaxError, fail, isNext, rangeFrom } from './cursor.ts';

/** A name in quotes or `id(name: …, type: …, account.id: …)`, each member at most once. */
export function parseIdentity(cursor: Cursor): Identity {
  const { start } = cursor.token;
  if (accept(cursor, 'id')) return parseMembers(cursor, start);
  const name = expectString(cursor, 'service name', 'a quoted name or id(…)');
  return { name, type: undefined, accountId: undefined, range: rangeFrom(cursor, start) };
}

/** The two ends of an edge, `from, to`. */
export function parseEnds(cursor: Cursor): { readonly from: Identity; readonly to: Identity } {
  const from = parseIdentity(cursor);
  expect(cursor, ',');
  return { from, to: parseIdentity(cursor) };
}

const MEMBERS = { name: 'service name', type: 'service type', 'account.id': 'account id' } as const;
type Member = keyof typeof MEMBERS;

function parseMembers(cursor: Cursor, start: number): Identity {
  const given = new Map<Member, string>();
  expect(cursor, '(');
  do {
    const member = parseMember(cursor, given);
    expect(cursor, ':');
    given.set(member, expectString(cursor, MEMBERS[member], 'a quoted string'));
  } while (accept(cursor, ','));
  expect(cursor, ')');
  return {
    name: given.get('name'),
    type: given.get('type'),
    accountId: given.get('account.id'),
    range: rangeFrom(cursor, start),
  };
}

function parseMember(cursor: Cursor, given: ReadonlyMap<Member, string>): Member {
  const members = Object.keys(MEMBERS) as Member[];
  const repeated = members.find((member) => given.has(member) && isNext(cursor, member));
  if (repeated !== undefined) throw new FilterSyntaxError(`${repeated} is given twice`, cursor.token.start);
  const member = members.find((known) => !given.has(known) && accept(cursor, known));
  return member ?? fail(cursor, 'expected name, type or account.id');
}

/** Whether `identity` selects `service`. */
export function selectsService(identity: Identity, service: ServiceId): boolean {
  return (
    (identity.name === undefined || identity.name === service.name) &&
    (identity.type === undefined || identity.type === service.type) &&
    (identity.accountId === undefined || identity.accountId === service.accountId)
  );
}
