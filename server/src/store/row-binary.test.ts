import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRowBuffer, readUInt64, writeInt64, writeUInt64, writtenBytes } from './row-binary.ts';

test('whole numbers with a sign have the bytes of a 64-bit integer', () => {
  const row = createRowBuffer(1);
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      row.length = 0;
      writeInt64(row, value);
      const expected = Buffer.alloc(8);
      expected.writeBigInt64LE(BigInt(value));
      expect(Buffer.from(writtenBytes(row))).toEqual(expected);
    }),
    { examples: [[0], [-1], [2 ** 32 - 1], [-(2 ** 32)], [-(2 ** 32) - 1]] },
  );
});

test('whole numbers without a sign are read as they were written', () => {
  const row = createRowBuffer(1);
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      row.length = 0;
      writeUInt64(row, value);
      expect(readUInt64(row.bytes, 0)).toBe(value);
    }),
  );
});
