import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openInvocationLog } from './invocation-log.ts';

test('keeps all lines within its bound', () => {
  const log = openInvocationLog();
  log.add('one');
  log.add('two\nlines');
  expect(log.text()).toBe('one\ntwo\nlines\n');
});

test('over its bound keeps the last lines, and says how many are missing', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 5000 }), (lines) => {
      const log = openInvocationLog(500);
      for (const line of lines) log.add(line);
      const text = log.text();
      const all = lines.map((line) => `${line}\n`).join('');
      const missing = Number(/^\((\d+) earlier lines omitted\)\n/.exec(text)?.[1] ?? 0);
      const kept = lines
        .slice(missing)
        .map((line) => `${line}\n`)
        .join('');
      expect(text.endsWith(kept)).toBe(true);
      expect(kept.length).toBeLessThanOrEqual(500);
      if (all.length <= 500) expect(text).toBe(all);
    }),
    { numRuns: 30 },
  );
});
