import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readEvent } from './event.ts';

test.each([
  ['UTF-8 with a byte order mark', Buffer.from('\uFEFF{"k":"v"}')],
  ['UTF-16', Buffer.from('\uFEFF{"k":"v"}', 'utf16le')],
])('an event file in %s reaches the function as JSON', (_encoding, bytes) => {
  const dir = mkdtempSync(join(tmpdir(), 'openray-event-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'event.json');
  writeFileSync(file, bytes);
  expect(readEvent({ event: file }).toString()).toBe('{"k":"v"}');
  expect(readEvent({ eventFile: file }).toString()).toBe('{"k":"v"}');
});

test('without an event, and with --no-event, the event is an empty object', () => {
  expect(readEvent({}).toString()).toBe('{}');
  expect(readEvent({ event: false }).toString()).toBe('{}');
});

test.each([
  [{ event: '' }, '--event is empty: give a file, - for stdin, or JSON'],
  [{ eventFile: '' }, '--event-file is empty'],
  [{ event: 'nope.json' }, '--event: there is no file nope.json, and it is not JSON'],
])('%j is an error', (flags, sentence) => {
  expect(() => readEvent(flags)).toThrow(sentence);
});
