import type { FastifyInstance } from 'fastify';
import { OpenrayError } from '../errors.ts';
import type { OtlpContext } from '../ingest/otlp.ts';
import { acceptZipkin } from '../ingest/zipkin.ts';
import { admitRequests } from './admit-requests.ts';
import { contentTypeOf, decompressedBody } from './content-encoding.ts';
import { memoryOf } from './request-body.ts';

/**
 * Zipkin's `POST /api/v2/spans`, JSON, plain or compressed. Responds with 202 once the spans are stored. Zipkin's response
 * has no member for rejected spans: /metrics counts them.
 * @see https://zipkin.io/zipkin-api/#/default/post_spans
 */
export function serveZipkin(app: FastifyInstance, context: OtlpContext, maxBytes: number): void {
  const options = { bodyLimit: maxBytes, onRequest: admitRequests('zipkin', context) };
  app.post('/api/v2/spans', options, async (request, reply) => {
    const type = contentTypeOf(request);
    if (type !== undefined && type !== 'application/json') {
      throw new OpenrayError(
        'UnsupportedMediaTypeException',
        `content type ${type.slice(0, 80)} is not application/json`,
      );
    }
    const text = (await decompressedBody(request, maxBytes, memoryOf(request))).toString('utf8');
    const { rejected, message } = await acceptZipkin(text, context);
    if (rejected > 0) request.log.debug({ rejected, reason: message }, 'spans rejected');
    return reply.code(202).send();
  });
}
