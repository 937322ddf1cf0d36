import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { OpenrayError } from '../errors.ts';
import { DECODED_BYTES_PER_BYTE, type RequestMemory } from '../ingest/memory-budget.ts';
import { expectBytes } from './admit-requests.ts';
import { announcedZstdSize, unzstd } from './zstd.ts';

/** Makes a stream, or decompresses at once where there is no stream. */
type Decompress =
  | { readonly stream: (body: Buffer, options: { readonly chunkSize: number }) => Transform }
  | { readonly whole: typeof unzstd };

const CHUNK_BYTES = 64 * 1024;

const gunzip: Decompress = { stream: (_body, options) => zlib.createGunzip(options) };

/** By name in lower case; `x-gzip` and `zlib` are other names that senders use. */
const DECOMPRESSORS: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  [
    'deflate',
    { stream: (body, options) => (hasZlibHeader(body) ? zlib.createInflate : zlib.createInflateRaw)(options) },
  ],
  ['zlib', { stream: (_body, options) => zlib.createInflate(options) }],
  ['br', { stream: (_body, options) => zlib.createBrotliDecompress(options) }],
  ['zstd', { whole: unzstd }],
]);

const ENCODINGS = 'gzip, deflate, br and zstd';

/** A body that was compressed more often is not read: each time, a small body can grow to the bound. */
const ENCODINGS_MAX = 3;

/**
 * The body after decompression. Throws UnsupportedMediaTypeException for an unknown content encoding,
 * RequestTooLargeException when the result is larger than `maxBytes`,
 * ThrottledException when the memory of requests does not suffice; then the rest is not decompressed.
 */
export async function decompressedBody(
  request: FastifyRequest,
  maxBytes: number,
  memory: RequestMemory,
): Promise<Buffer> {
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
  for (const encoding of encodings.toReversed()) body = await decompressed(body, encoding, { maxBytes, memory });
  // Bodies without content encoding have reserved this, see request-body.ts.
  if (request.headers['content-encoding'] !== undefined) {
    memory.reserve('decoded', body.length * DECODED_BYTES_PER_BYTE);
  }
  expectBytes(request, body.length);
  return body;
}

type Limits = { readonly maxBytes: number; readonly memory: RequestMemory };

async function decompressed(body: Buffer, encoding: string, limits: Limits): Promise<Buffer> {
  const decompress = DECOMPRESSORS.get(encoding) as Decompress;
  try {
    if ('stream' in decompress) return await readAll(decompress.stream(body, { chunkSize: CHUNK_BYTES }), body, limits);
    const expectedBytes = Math.min(announcedZstdSize(body) ?? limits.maxBytes, limits.maxBytes);
    limits.memory.reserve('decompressed', expectedBytes);
    const result = await decompress.whole(body, { maxOutputLength: limits.maxBytes });
    limits.memory.reserve('decompressed', result.length - expectedBytes);
    return result;
  } catch (cause) {
    if (cause instanceof OpenrayError) throw cause;
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    const message = `the body is not ${encoding}: ${(cause as Error).message}`;
    throw new OpenrayError('SerializationException', message, { cause });
  }
}

async function readAll(stream: Transform, body: Buffer, { maxBytes, memory }: Limits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.end(body);
  // Leaving the loop destroys the stream.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    memory.reserve('decompressed', chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function tooLarge(): OpenrayError {
  return new OpenrayError(
    'RequestTooLargeException',
    'after decompression the body is larger than the setting otlpMaxBytes allows',
  );
}

/** The standard's `deflate` has zlib's header of two bytes; some senders leave it out. */
function hasZlibHeader(body: Buffer): boolean {
  return body.length >= 2 && (body.readUInt8(0) & 15) === 8 && body.readUInt16BE(0) % 31 === 0;
}

/** The content type without its parameters, in lower case. */
export function contentTypeOf({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}
