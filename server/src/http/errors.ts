import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';

/** An outage is known to the log already: such a request has a line, and others the stack of their fault. */
export function logFailure({ log, url }: FastifyRequest, failure: OpenrayError): void {
  if (FAILURES[failure.code].http < 500) return;
  const { cause, message, retryAfterSeconds } = failure;
  if (retryAfterSeconds === undefined) log.error({ err: cause ?? failure, url }, 'request failed');
  else log.warn({ reason: cause instanceof Error ? cause.message : message, url }, 'request refused for now');
}

/**
 * Sends every failure in the form that AWS SDKs parse: the code in a header and in the body, the message in the body.
 * @see https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
 */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const failure = fromFastifyError(thrown) ?? toFailure(thrown);
    const { http } = FAILURES[failure.code];
    logFailure(request, failure);
    drainRequest(request, reply, failure);
    addRetryAfter(reply, failure);
    return reply
      .code(http)
      .header('x-amzn-errortype', failure.code)
      .send({ __type: failure.code, Message: failure.message });
  });
}

/** In whole seconds, if the failure says when to try again. */
export function addRetryAfter(reply: FastifyReply, { retryAfterSeconds }: OpenrayError): void {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', Math.ceil(retryAfterSeconds));
}

/**
 * Reads the rest of a request that was refused for its size or for the memory in use: a sender that is cut off while it
 * writes gets a broken pipe instead of the response, and retries at once.
 */
export function drainRequest({ raw }: FastifyRequest, reply: FastifyReply, { code }: OpenrayError): void {
  if (raw.complete || (code !== 'RequestTooLargeException' && code !== 'ThrottledException')) return;
  reply.removeHeader('connection');
  raw.resume();
}

export function unknownOperation(method: string, url: string): OpenrayError {
  return new OpenrayError('UnknownOperationException', `there is no operation ${method} ${url.slice(0, 200)}`);
}

/** The failure for an error of the HTTP library that the sender caused; undefined for any other error. */
export function fromFastifyError(thrown: unknown): OpenrayError | undefined {
  const { code, message } = thrown as { code?: string; message?: string };
  if (typeof code === 'string' && code.startsWith('FST_ERR_CTP')) {
    return new OpenrayError('SerializationException', message ?? 'the body cannot be read', { cause: thrown });
  }
  return undefined;
}
