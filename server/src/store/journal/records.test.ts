import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JournalRecord, type PayloadVersion, readRecords, recordHeader } from './records.ts';

const fileOf = (payloads: readonly Uint8Array[]) =>
  Buffer.concat(payloads.flatMap((payload) => [recordHeader(payload), payload]));
/** Payloads that contain what looks like the begin of a record, too. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => fileOf([bytes])),
);
const payloads = fc.array(payload, { maxLength: 6 });
const plain = (read: readonly JournalRecord[]) => read.map(({ payload }) => [...payload]);

test('all records of a file are read as they were written', () => {
  fc.assert(
    fc.property(payloads, (written) => {
      const { records: read, damaged, torn } = readRecords(fileOf(written));
      expect(plain(read)).toEqual(written.map((bytes) => [...bytes]));
      expect({ damaged, torn }).toEqual({ damaged: [], torn: undefined });
    }),
  );
});

test('a record is read with its version', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(payload, fc.constantFrom<PayloadVersion>(1, 2, 3)), { maxLength: 6 }), (written) => {
      const file = written.flatMap(([bytes, version]) => [recordHeader(bytes, version), bytes]);
      const { records } = readRecords(Buffer.concat(file));
      expect(records.map(({ version }) => version)).toEqual(written.map(([, version]) => version));
    }),
  );
});

test('a file that is cut at any byte has all records before the cut', () => {
  fc.assert(
    fc.property(payloads, (written) => {
      const file = fileOf(written);
      const ends = written.map((_, index) => fileOf(written.slice(0, index + 1)).length);
      for (let cut = 0; cut <= file.length; cut++) {
        const { records: read, damaged, torn } = readRecords(file.subarray(0, cut));
        const whole = ends.filter((end) => end <= cut);
        expect(plain(read)).toEqual(written.slice(0, whole.length).map((bytes) => [...bytes]));
        expect(damaged).toEqual([]);
        const readTo = whole.at(-1) ?? 0;
        expect(torn).toEqual(readTo === cut ? undefined : { fromByte: readTo, toByte: cut });
      }
    }),
    { numRuns: 30 },
  );
});

test('a changed byte costs the record it is in and no other, and is reported', () => {
  const records = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, position, change) => {
      const file = fileOf(written);
      const at = position % file.length;
      file[at] = (file[at] ?? 0) ^ change;
      const ends = written.map((_, index) => fileOf(written.slice(0, index + 1)).length);
      const hit = ends.findIndex((end) => at < end);
      const { records: read, damaged, torn } = readRecords(file);
      expect(plain(read)).toEqual(written.filter((_, index) => index !== hit).map((bytes) => [...bytes]));
      const range = { fromByte: ends[hit - 1] ?? 0, toByte: ends[hit] };
      if (hit === written.length - 1) expect({ damaged, torn }).toEqual({ damaged: [], torn: range });
      else expect({ damaged, torn }).toEqual({ damaged: [range], torn: undefined });
    }),
  );
});

test('any bytes are read without a failure', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { records: read, torn } = readRecords(Buffer.from(bytes));
      expect(read.length === 0 || torn !== undefined || bytes.length > 0).toBe(true);
    }),
  );
});
