import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { OpenrayError } from '../errors.ts';
import { unzstd } from './zstd.ts';

type Decompress = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const inflate: Decompress = promisify(zlib.inflate);
const inflateRaw: Decompress = promisify(zlib.inflateRaw);
const gunzip: Decompress = promisify(zlib.gunzip);

/** By name in lower case; `x-gzip` and `zlib` are other names that senders use. */
const DECOMPRESSORS: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflateAny],
  ['zlib', inflate],
  ['br', promisify(zlib.brotliDecompress)],
  ['zstd', unzstd],
]);

const ENCODINGS = 'gzip, deflate, br and zstd';

/** A body that was compressed more often is not read: each time, a small body can grow to the bound. */
const ENCODINGS_MAX = 3;

/**
 * The body after decompression. Throws UnsupportedMediaTypeException for an unknown content encoding,
 * RequestTooLargeException when the result is larger than `maxBytes`.
 */
export async function decompressedBody(request: FastifyRequest, maxBytes: number): Promise<Buffer> {
  const encodings = (request.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',', ENCODINGS_MAX + 1)
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== 'identity' && encoding !== '');
  const unknown = encodings.find((encoding) => !DECOMPRESSORS.has(encoding));
  if (unknown !== undefined) {
    const sentence = `content encoding ${unknown.slice(0, 40)} is not supported; openray reads ${ENCODINGS}`;
    throw new OpenrayError('UnsupportedMediaTypeException', sentence);
  }
  if (encodings.length > ENCODINGS_MAX) {
    const sentence = `the body has more than ${ENCODINGS_MAX} content encodings`;
    throw new OpenrayError('UnsupportedMediaTypeException', sentence);
  }
  let body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
  // In the order in which the sender applied them.
  for (const encoding of encodings.toReversed()) body = await decompressed(body, encoding, maxBytes);
  return body;
}

async function decompressed(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const decompress = DECOMPRESSORS.get(encoding) as Decompress;
  try {
    return await decompress(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new OpenrayError(
        'RequestTooLargeException',
        'after decompression the body is larger than the setting otlpMaxBytes allows',
      );
    }
    const message = `the body is not ${encoding}: ${(cause as Error).message}`;
    throw new OpenrayError('SerializationException', message, { cause });
  }
}

/** The standard's `deflate` has zlib's header of two bytes; some senders leave it out. */
function inflateAny(body: Buffer, options: { readonly maxOutputLength: number }): Promise<Buffer> {
  const hasHeader = body.length >= 2 && (body.readUInt8(0) & 15) === 8 && body.readUInt16BE(0) % 31 === 0;
  return (hasHeader ? inflate : inflateRaw)(body, options);
}

/** The content type without its parameters, in lower case. */
export function contentTypeOf({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}
