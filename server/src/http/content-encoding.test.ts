import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { compress } from '@bokuweb/zstd-wasm';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newMemoryBudget } from '../ingest/memory-budget.ts';
import { decompressedBody } from './content-encoding.ts';
import { handleErrors } from './errors.ts';
import { acceptBodies, memoryOf } from './request-body.ts';
import { libraryUnzstd } from './zstd.ts';

const MAX_BYTES = 1_000_000;

let app: FastifyInstance;
/** Suffices for the largest body and for what a decoder would make of it. */
const budget = newMemoryBudget(10 * MAX_BYTES);

beforeAll(async () => {
  // Loads the library, which must not be loaded twice.
  await libraryUnzstd(Buffer.from('28b52ffd2000010000', 'hex'), { maxOutputLength: MAX_BYTES });
  app = Fastify();
  handleErrors(app);
  acceptBodies(app, budget);
  app.post('/', async (request) => (await decompressedBody(request, MAX_BYTES, memoryOf(request))).toString());
});

afterAll(() => app.close());

async function send(encoding: string, payload: Buffer) {
  const { statusCode, body } = await app.inject({
    method: 'POST',
    url: '/',
    payload,
    headers: { 'content-encoding': encoding, 'content-type': 'application/json' },
  });
  return { statusCode, body };
}

const zstd = (content: Buffer) => Buffer.from(compress(content));

const BLOCK_BYTES = 100_000;

/** A frame without its size in the header, as streams have it: each block repeats the byte `a`. */
function zstdStream(blocks: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]);
  const repeated = (isLast: boolean) => {
    const block = Buffer.alloc(4, 'a');
    block.writeUIntLE((BLOCK_BYTES << 3) | 2 | (isLast ? 1 : 0), 0, 3);
    return block;
  };
  return Buffer.concat([header, ...Array.from({ length: blocks }, (_, index) => repeated(index === blocks - 1))]);
}

/** A frame of three bytes whose header announces more than the process can hold. */
function zstdWithFalseSize(): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0]);
  return Buffer.concat([header, Buffer.from([(3 << 3) | 1, 0, 0]), Buffer.from('abc')]);
}

const ENCODINGS: readonly (readonly [name: string, encode: (content: Buffer) => Buffer])[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['zlib', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstd],
  ['identity', (content) => content],
];

describe.each(ENCODINGS)('the content encoding %s', (name, encode) => {
  test.each(['', '{}', 'text '.repeat(10_000)])('is undone', async (text) => {
    expect(await send(name, encode(Buffer.from(text)))).toEqual({ statusCode: 200, body: text });
  });

  test.skipIf(name === 'identity')('is bounded after decompression', async () => {
    expect(await send(name, encode(Buffer.alloc(MAX_BYTES, 'a')))).toMatchObject({ statusCode: 200 });
    expect(await send(name, encode(Buffer.alloc(MAX_BYTES + 1, 'a')))).toMatchObject({
      statusCode: 413,
      body: expect.stringContaining('otlpMaxBytes'),
    });
  });

  test.skipIf(name === 'identity')('refuses a body that is cut off, or of another encoding', async () => {
    for (const payload of [encode(Buffer.from('text '.repeat(1_000))).subarray(0, -3), Buffer.from('{"a": 1}')]) {
      expect(await send(name, payload)).toMatchObject({
        statusCode: 400,
        body: expect.stringContaining(`the body is not ${name.toLowerCase()}: `),
      });
    }
  });
});

test.each([
  ['gzip, br', (content: Buffer) => brotliCompressSync(gzipSync(content))],
  ['deflate,GZIP , zstd', (content: Buffer) => zstd(gzipSync(deflateSync(content)))],
  ['identity, gzip', gzipSync],
])('several content encodings are undone from the last to the first: %s', async (name, encode) => {
  expect(await send(name, encode(Buffer.from('text')))).toEqual({ statusCode: 200, body: 'text' });
  expect(await send(name, encode(Buffer.alloc(MAX_BYTES + 1, 'a')))).toMatchObject({ statusCode: 413 });
  expect(await send(name, Buffer.from('text'))).toMatchObject({ statusCode: 400 });
});

test('at most three content encodings are undone', async () => {
  const four = gzipSync(gzipSync(gzipSync(gzipSync('text'))));
  expect(await send('gzip, gzip, gzip, gzip', four)).toMatchObject({
    statusCode: 415,
    body: expect.stringContaining('the body has more than 3 content encodings'),
  });
});

test('of several content encodings the unknown one is named', async () => {
  expect(await send('gzip, snappy', Buffer.from('a'))).toMatchObject({
    statusCode: 415,
    body: expect.stringContaining('content encoding snappy is not supported'),
  });
});

test.each(['snappy', 'constructor'])('the content encoding %s is refused, with those it reads', async (name) => {
  expect(await send(name, Buffer.from('a'))).toMatchObject({
    statusCode: 415,
    body: expect.stringContaining(
      `content encoding ${name} is not supported; openray reads gzip, deflate, br and zstd`,
    ),
  });
});

describe.each([
  ['of Node or the library', async (payload: Buffer) => (await send('zstd', payload)).statusCode],
  [
    'of the library',
    (payload: Buffer) =>
      libraryUnzstd(payload, { maxOutputLength: MAX_BYTES }).then(
        () => 200,
        ({ code }: { code?: string }) => (code === 'ERR_BUFFER_TOO_LARGE' ? 413 : 400),
      ),
  ],
])('zstd %s', (_origin, statusOf) => {
  test.each([
    ['a stream', 200, zstdStream(MAX_BYTES / BLOCK_BYTES)],
    ['a stream that is one block too long', 413, zstdStream(MAX_BYTES / BLOCK_BYTES + 1)],
    ['a stream that grows a thousandfold', 413, zstdStream(1_000)],
    ['an empty body', 400, Buffer.alloc(0)],
    ['four bytes', 400, Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ])('reads %s with %i', async (_what, status, payload) => {
    expect(await statusOf(payload)).toBe(status);
  });

  test('refuses a frame whose announced size is beyond the bound', async () => {
    expect([400, 413]).toContain(await statusOf(zstdWithFalseSize()));
  });
});

test('the library reads several bodies one after the other, and returns their bytes only', async () => {
  for (const text of ['a', 'b'.repeat(1_000), '']) {
    const bytes = await libraryUnzstd(zstd(Buffer.from(text)), { maxOutputLength: MAX_BYTES });
    expect(bytes.toString()).toBe(text);
  }
});
