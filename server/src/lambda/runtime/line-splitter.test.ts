import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newLineSplitter } from './line-splitter.ts';

function split(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = newLineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(Buffer.from(chunk));
  splitter.flush();
  return lines;
}

test('lines are complete, wherever the chunks are cut', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const chunks: Uint8Array[] = [];
      let from = 0;
      for (const cut of cuts) {
        chunks.push(bytes.subarray(from, from + cut));
        from += cut;
      }
      chunks.push(bytes.subarray(from));
      expect(split(chunks)).toEqual(lines);
    }),
  );
});

test('a carriage return inside a record becomes a line break; one before the line end is dropped', () => {
  expect(split([Buffer.from('Traceback:\r  File\r\nnext')])).toEqual(['Traceback:\n  File', 'next']);
});

test('an endless line is emitted in pieces of bounded length', () => {
  const lines = split([Buffer.alloc(600 * 1024, 'x')]);
  expect(lines.map((line) => line.length)).toEqual([256 * 1024, 256 * 1024, 88 * 1024]);
});
