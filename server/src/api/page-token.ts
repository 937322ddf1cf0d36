import { createHash } from 'node:crypto';
import * as z from 'zod';
import { OpenrayError } from '../errors.ts';
import type { SortKey } from '../query/traces/sort-key.ts';

/** Binds a token to its query: another query rejects it. */
function queryHash(query: unknown): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 16);
}

const payload = z.tuple([z.string(), z.enum(['valued', 'rest']), z.number().int(), z.string().regex(/^[0-9a-f]{32}$/)]);

export function toToken({ part, key, traceId }: SortKey, query: unknown): string {
  return Buffer.from(JSON.stringify([queryHash(query), part, key, traceId])).toString('base64url');
}

/** Throws InvalidRequestException when the token was not issued by `toToken` or belongs to another query. */
export function fromToken(token: string, query: unknown): SortKey {
  let parsed: z.output<typeof payload> | undefined;
  try {
    parsed = payload.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
  } catch {
    parsed = undefined;
  }
  if (parsed === undefined || parsed[0] !== queryHash(query)) {
    throw new OpenrayError('InvalidRequestException', 'Invalid token: it was not given for this query');
  }
  const [, part, key, traceId] = parsed;
  return { part, key, traceId };
}
