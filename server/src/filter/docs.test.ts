import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KEYWORDS } from './keywords.ts';
import { readFilter } from './parser.ts';

const page = readFileSync(new URL('../../../docs/reference/filter-expressions.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^```\n(.*?)^```$/gms)].flatMap((block) => block[1]?.trim().split('\n') ?? []);

test.each(examples)('the example %s of the reference is valid', (example) => {
  expect(readFilter(example)).toMatchObject({ ok: true });
});

test('the reference names every keyword', () => {
  expect(
    Object.keys(KEYWORDS).filter((keyword) => !page.includes(`\`${keyword}\``) && !/^http\./.test(keyword)),
  ).toEqual([]);
});
