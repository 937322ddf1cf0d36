import { expect, test } from 'vitest';
import { newIdleLimit } from './idle-limit.ts';

test('one idle environment too many evicts the one that is idle longest', () => {
  const limit = newIdleLimit(2);
  const evicted: string[] = [];
  const add = (name: string) => limit.add(() => evicted.push(name));
  add('first');
  const wakeSecond = add('second');
  add('third');
  expect(evicted).toEqual(['first']);
  wakeSecond();
  add('fourth');
  expect(evicted).toEqual(['first']);
  add('fifth');
  expect(evicted).toEqual(['first', 'third']);
});
