import type { FastifyInstance } from 'fastify';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';

/**
 * Sends every failure in the form that AWS SDKs parse: the code in a header and in the body, the message in the body.
 * @see https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
 */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const failure = fromFastifyError(thrown) ?? toFailure(thrown);
    const { http } = FAILURES[failure.code];
    if (http >= 500) request.log.error({ err: failure.cause ?? failure, url: request.url }, 'request failed');
    if (failure.retryAfterSeconds !== undefined) reply.header('retry-after', Math.ceil(failure.retryAfterSeconds));
    return reply
      .code(http)
      .header('x-amzn-errortype', failure.code)
      .send({ __type: failure.code, Message: failure.message });
  });
}

export function unknownOperation(method: string, url: string): OpenrayError {
  return new OpenrayError('UnknownOperationException', `there is no operation ${method} ${url.slice(0, 200)}`);
}

/** The failure for an error of the HTTP library that the sender caused; undefined for any other error. */
export function fromFastifyError(thrown: unknown): OpenrayError | undefined {
  const { code, message } = thrown as { code?: string; message?: string };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new OpenrayError(
      'RequestTooLargeException',
      'the body is larger than the setting bodyMaxBytes (for OpenTelemetry otlpMaxBytes) allows',
    );
  }
  if (typeof code === 'string' && code.startsWith('FST_ERR_CTP')) {
    return new OpenrayError('SerializationException', message ?? 'the body cannot be read', { cause: thrown });
  }
  return undefined;
}
