import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenrayError } from '../../../errors.ts';
import { encodeFrame, failureData, failureOf, newFrameReader, type Response } from './protocol.ts';

const aResponse = fc.record({
  kind: fc.constant('answered' as const),
  id: fc.nat(),
  rows: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
});

/** Frames, cut at any positions. */
const cutFrames = fc.array(aResponse, { maxLength: 8 }).chain((responses) => {
  const bytes = Buffer.concat(responses.map(encodeFrame));
  return fc
    .array(fc.nat({ max: bytes.length }), { maxLength: 12 })
    .map((cuts) => ({ responses, bytes, cuts: [0, ...cuts.sort((a, b) => a - b), bytes.length] }));
});

test('every message arrives once and in order, wherever the pipe cuts the frames', () => {
  fc.assert(
    fc.property(cutFrames, ({ responses, bytes, cuts }) => {
      const arrived: Response[] = [];
      const read = newFrameReader<Response>((response) => arrived.push(response));
      for (const [index, cut] of cuts.slice(1).entries()) read(bytes.subarray(cuts[index], cut));
      const plain = arrived.map((response) =>
        response.kind === 'answered' && response.rows ? { ...response, rows: new Uint8Array(response.rows) } : response,
      );
      expect(plain).toEqual(responses);
    }),
  );
});

test('a failure keeps its code, its hint and the message and code of ClickHouse', () => {
  const cause = new Error('Code: 241. DB::Exception: too much');
  const failure = new OpenrayError('ServiceUnavailable', 'too much memory', { cause, retryAfterSeconds: 5 });
  const again = failureOf(failureData(failure));
  expect(again).toBeInstanceOf(OpenrayError);
  expect(again).toMatchObject({ code: 'ServiceUnavailable', message: 'too much memory', retryAfterSeconds: 5 });
  expect(again.cause).toBeInstanceOf(Error);
  expect(again.cause).toMatchObject({ message: cause.message, clickhouseCode: 241 });
});
