import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openInvocationLog } from './invocation-log.ts';

test('keeps everything that fits', () => {
  const log = openInvocationLog();
  log.add('one');
  log.add('two\nlines');
  expect(log.text()).toBe('one\ntwo\nlines\n');
});

test('keeps the last lines of what does not, says how many are missing, and stays within its bound', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 5000 }), (lines) => {
      const log = openInvocationLog(500);
      for (const line of lines) log.add(line);
      const text = log.text();
      const all = lines.map((line) => `${line}\n`).join('');
      const missing = Number(/^\((\d+) earlier lines left out\)\n/.exec(text)?.[1] ?? 0);
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
