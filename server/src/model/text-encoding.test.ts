import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText } from './text-encoding.ts';

const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16();

test.each<[string, (text: string) => Buffer]>([
  ['UTF-8', (text) => Buffer.from(text)],
  ['UTF-8 with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`)],
  ['UTF-16LE', (text) => Buffer.from(text, 'utf16le')],
  ['UTF-16LE with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['UTF-16BE', bigEndian],
  ['UTF-16BE with a byte order mark', (text) => bigEndian(`\uFEFF${text}`)],
])('reads JSON in %s', (_encoding, encode) => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'grapheme' }), (json) => {
      const text = `{"value":${json}}`;
      expect(decodeText(encode(text))).toBe(text);
    }),
  );
});

test('an empty file is an empty text', () => {
  expect(decodeText(new Uint8Array())).toBe('');
});
