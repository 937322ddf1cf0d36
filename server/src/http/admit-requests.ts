import type { IncomingMessage } from 'node:http';
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { IngestContext } from '../ingest/accept.ts';
import type { AdmittedRequest, ArrivingRequest } from '../ingest/admission.ts';
import type { Stats } from '../stats.ts';

/** A sender that is acknowledged later slows down by itself. After this time it gets 429. */
const MAX_WAIT_MS = 500;

const admitted = new WeakMap<IncomingMessage, AdmittedRequest>();

/**
 * The hook of a route that stores documents: its requests are read only while the queue of the store has room. Until then
 * the body stays with its sender.
 */
export function admitRequests(receiver: RequestReceiver, context: AdmissionContext): onRequestAsyncHookHandler {
  return async ({ raw }, reply) => {
    const request = await admitRequest(receiver, context, {
      bytes: Number(raw.headers['content-length'] ?? 0),
      heldBytes: 0,
      waitsUntilMs: Date.now() + MAX_WAIT_MS,
      isCancelled: () => raw.destroyed,
    });
    admitted.set(raw, request);
    reply.raw.once('close', request.release);
  };
}

type RequestReceiver = keyof Stats['refusedRequests'];
type AdmissionContext = Pick<IngestContext, 'admission' | 'stats'>;

/** Admits one request, or counts it as refused. Throws as `admit` does. */
export async function admitRequest(
  receiver: RequestReceiver,
  { admission, stats }: AdmissionContext,
  request: ArrivingRequest,
): Promise<AdmittedRequest> {
  try {
    return await admission.admit(request);
  } catch (thrown) {
    stats.refusedRequests[receiver] += 1;
    throw thrown;
  }
}

/** Call it with the length of the body once it is decompressed. */
export function expectBytes({ raw }: FastifyRequest, bytes: number): void {
  admitted.get(raw)?.expect(Math.max(0, bytes - Number(raw.headers['content-length'] ?? 0)));
}
