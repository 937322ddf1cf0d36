import { expect, test } from 'vitest';
import { parseTemplateText } from './text.ts';

test('a lone dot is a folder, and numbers stay numbers', () => {
  const text = 'a: .\nb: ./x\nc: 1.5\nd: .5\ne: 2.\nf: 1e3\n';
  expect(parseTemplateText(text, 'template.yaml')).toEqual({ a: '.', b: './x', c: 1.5, d: 0.5, e: 2, f: 1000 });
});
