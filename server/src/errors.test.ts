import { expect, test } from 'vitest';
import * as z from 'zod';
import { issueSentence } from './errors.ts';

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'is missing: it must be a text'],
  [z.string(), 1, 'must be a text, not a number'],
  [z.number(), 'x', 'must be a number, not a text'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.int(), 'x', 'must be a number, not a text'],
  [z.number(), Number.NaN, 'must be a number'],
  [z.boolean(), 'yes', 'must be true or false, not a text'],
  [z.array(z.string()), {}, 'must be a list, not an object'],
  [z.object({}), [], 'must be an object, not a list'],
  [z.record(z.string(), z.string()), null, 'must be an object, not null'],
  [z.int().min(3), 1, 'must be at least 3'],
  [z.number().positive(), 0, 'must be more than 0'],
  [z.int().max(3), 4, 'must be at most 3'],
  [z.number().lt(3), 3, 'must be less than 3'],
  [z.string().min(1), '', 'must have at least 1 characters'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 items'],
  [z.enum(['A', 'B']), 'C', 'must be "A" or "B"'],
  [z.literal('A'), 'C', 'must be "A"'],
  [z.number().multipleOf(2), 3, 'must be a multiple of 2'],
  [z.strictObject({}), { z: 1 }, 'has unknown members: z'],
  [z.url(), 'x', 'must be a URL'],
  [z.string().regex(/a/), 'x', 'does not have the required form'],
  [z.union([z.string(), z.number()]), true, 'has none of the allowed forms'],
  [z.string().regex(/a/, 'must contain an a'), 'x', 'must contain an a'],
  [z.string().refine(() => false, 'is not a filter'), 'x', 'is not a filter'],
])('%#: an issue of a schema is a sentence without the words of the library', (schema, value, sentence) => {
  expect(issueSentence(schema.safeParse(value).error?.issues[0])).toBe(sentence);
});
