import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { writeOrClose } from './events.ts';

test('the stream of a reader that does not read is closed before much waits for it', () => {
  const stream = new PassThrough();
  const sentences: string[] = [];
  const log = { info: (_fields: object, sentence: string) => void sentences.push(sentence) };
  let longest = 0;
  while (!stream.destroyed) {
    writeOrClose(stream as never, 'x'.repeat(4_000), log);
    longest = Math.max(longest, stream.writableLength);
  }
  expect(longest).toBeLessThan(300_000);
  expect(sentences).toEqual(['event stream closed: its reader is too slow']);
});
