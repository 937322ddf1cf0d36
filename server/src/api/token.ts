import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OpenrayError } from '../errors.ts';
import type { Cursor } from '../query/candidates.ts';

/** Tokens are bound to their query, so that a page of one can not be asked of another. */
function queryHash(query: unknown): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 16);
}

const payload = z.tuple([z.string(), z.number().int(), z.string().regex(/^[0-9a-f]{32}$/)]);

export function toToken({ keyUs, traceId }: Cursor, query: unknown): string {
  return Buffer.from(JSON.stringify([queryHash(query), keyUs, traceId])).toString('base64url');
}

/** Throws InvalidRequestException when the token is not one of ours or belongs to another query. */
export function fromToken(token: string, query: unknown): Cursor {
  let parsed: z.output<typeof payload> | undefined;
  try {
    parsed = payload.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
  } catch {
    parsed = undefined;
  }
  if (parsed === undefined || parsed[0] !== queryHash(query)) {
    throw new OpenrayError('InvalidRequestException', 'Invalid token: it was not given for this query');
  }
  return { keyUs: parsed[1], traceId: parsed[2] };
}
