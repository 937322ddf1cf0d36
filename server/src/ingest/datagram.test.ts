import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDatagram } from './datagram.ts';

const read = (text: string) => readDatagram(Buffer.from(text));

test('reads the document behind a header of any spacing and case', () => {
  expect(read('{"format": "json", "version": 1}\n{"a":1}')).toEqual({ ok: true, kind: 'document', text: '{"a":1}' });
  expect(read('{"version":1,"format":"JSON"}\n{"a":1}')).toEqual({ ok: true, kind: 'document', text: '{"a":1}' });
});

test('the first newline ends the header; the document may hold newlines', () => {
  expect(read('{"format":"json","version":1}\n{\n"a":1\n}')).toEqual({
    ok: true,
    kind: 'document',
    text: '{\n"a":1\n}',
  });
});

test.each([
  ['', 'no-header'],
  ['{"format":"json","version":1}{"a":1}', 'no-header'],
  ['x\n{}', 'bad-header'],
  ['null\n{}', 'bad-header'],
  ['{"format":"xml","version":1}\n{}', 'bad-header'],
  ['{"format":"json","version":2}\n{}', 'bad-header'],
  ['{"format":"json","version":"1"}\n{}', 'bad-header'],
  ['{"format":"json","version":1}\n', 'empty'],
  ['{"format":"json","version":1}\n \n', 'empty'],
  ['{"format":"json","version":1}\nT1UAAAA', 'unsampled'],
  ['{"format":"json","version":1}\nM1AAAA', 'metrics'],
  ['{"format":"json","version":1}\nT1SCv8=', 'bad-spans'],
])('drops %j with the reason %s', (text, dropReason) => {
  expect(read(text)).toMatchObject({ ok: false, dropReason, message: expect.any(String) });
});

test('a header is checked unless it repeats a valid one', () => {
  const [valid, invalid] = ['{"format":"json","version":1}\n{}', '{"format":"json","version":3}\n{}'];
  const results = [valid, valid, invalid, invalid, valid].map((text) => read(text).ok);
  expect(results).toEqual([true, true, false, false, true]);
});

test('reads unsampled spans where they are accepted', () => {
  const bytes = Buffer.from('{"format":"json","version":1}\nT1U');
  expect(readDatagram(bytes, { acceptsUnsampled: true })).toEqual({
    ok: true,
    kind: 'spans',
    data: { resourceSpans: [] },
  });
});

test('never throws for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const datagram = readDatagram(Buffer.from(bytes));
      expect(datagram.ok || datagram.message.length > 0).toBe(true);
    }),
  );
});
