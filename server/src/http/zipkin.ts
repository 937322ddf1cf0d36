import type { FastifyInstance } from 'fastify';
import { OpenrayError } from '../errors.ts';
import { accept } from '../ingest/accept.ts';
import { acceptTraces, type OtlpContext } from '../ingest/otlp.ts';
import { readZipkin } from '../ingest/zipkin.ts';
import { contentTypeOf, decompressedBody } from './content-encoding.ts';

/**
 * Zipkin's `POST /api/v2/spans`, JSON, plain or gzip. Answers 202 once the spans are stored. Zipkin's answer has no room
 * for spans that can not be taken: they are counted on /metrics.
 * @see https://zipkin.io/zipkin-api/#/default/post_spans
 */
export function serveZipkin(app: FastifyInstance, context: OtlpContext, maxBytes: number): void {
  app.post('/api/v2/spans', { bodyLimit: maxBytes }, async (request, reply) => {
    const type = contentTypeOf(request);
    if (type !== undefined && type !== 'application/json') {
      throw new OpenrayError(
        'UnsupportedMediaTypeException',
        `content type ${type.slice(0, 80)} is not application/json`,
      );
    }
    const { data, rejections } = readZipkin((await decompressedBody(request, maxBytes)).toString('utf8'));
    const { rejected, message } = await acceptTraces(data, 'zipkin', context);
    await accept(rejections, 'zipkin', context);
    if (rejected + rejections.length > 0) {
      request.log.debug({ rejected: rejected + rejections.length, reason: message }, 'spans rejected');
    }
    return reply.code(202).send();
  });
}
