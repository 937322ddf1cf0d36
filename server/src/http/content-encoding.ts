import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { OpenrayError } from '../errors.ts';

const gunzipBytes = promisify(gunzip);

/**
 * The body after decompression. Throws UnsupportedMediaTypeException for any content encoding but gzip,
 * RequestTooLargeException when the result is larger than `maxBytes`.
 */
export async function decompressedBody(request: FastifyRequest, maxBytes: number): Promise<Buffer> {
  const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return body;
  if (encoding !== 'gzip') {
    throw new OpenrayError('UnsupportedMediaTypeException', `content encoding ${encoding.slice(0, 40)} is not gzip`);
  }
  try {
    return await gunzipBytes(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new OpenrayError(
        'RequestTooLargeException',
        'after decompression the body is larger than the setting otlpMaxBytes allows',
      );
    }
    throw new OpenrayError('SerializationException', `the body is not gzip: ${(cause as Error).message}`, { cause });
  }
}

/** The content type without its parameters, in lower case. */
export function contentTypeOf({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}
