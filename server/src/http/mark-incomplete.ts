import type { FastifyReply } from 'fastify';
import { INCOMPLETE_HEADER } from '../api/operation.ts';

/** Adds a reason to the header that marks incomplete responses, each reason once. */
export function markIncomplete(reply: FastifyReply, reason: string): void {
  const before = reply.getHeader(INCOMPLETE_HEADER);
  const reasons = typeof before === 'string' ? before.split(SEPARATOR) : [];
  reply.header(INCOMPLETE_HEADER, [...new Set([...reasons, reason])].join(SEPARATOR));
}

const SEPARATOR = '; ';
