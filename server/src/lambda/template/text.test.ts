import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { OpenrayError } from '../../errors.ts';
import { parseTemplateText } from './text.ts';

test('a lone dot is a folder', () => {
  expect(parseTemplateText('a: .\nb: ./x\n', 'template.yaml')).toEqual({ a: '.', b: './x' });
});

describe('reads templates that SAM reads', () => {
  test.each([
    [
      'a list whose items are at the column of its key',
      'R:\n  P: [\n  a,\n  b\n  ]\n  Q: 1\n',
      { P: ['a', 'b'], Q: 1 },
    ],
    ['a list that ends at the first column', 'R:\n  P: [\n    a\n]\n  Q: 1\n', { P: ['a'], Q: 1 }],
    ['a map that ends at the first column', 'R:\n  P: {\n  a: 1\n}\n  Q: 1\n', { P: { a: 1 }, Q: 1 }],
    ['a list in a list', 'R:\n  - [\n a, [\n b]\n]\n  - 1\n', [['a', ['b']], 1]],
    [
      'brackets and quotes inside',
      "R:\n  P: [\na, \"]\n[\", don't, 'it''s' # ]\n]\n",
      { P: ['a', '] [', "don't", "it's"] },
    ],
    ['a quoted text that a backslash continues', 'R:\n  P: "abc \\\ndef"\n  Q: 1\n', { P: 'abc def', Q: 1 }],
    ['a quoted text on several lines', "R:\n  P: 'abc\ndef\n\nghi'\n  Q: 1\n", { P: 'abc def\nghi', Q: 1 }],
    ['several of them', 'R:\n  P: [\na]\n  Q: "b\nc"\n  S: {\nd: 1}\n', { P: ['a'], Q: 'b c', S: { d: 1 } }],
    ['JSON with tabs', '{\n\t"R": {\n\t\t"a": 1}\n}', { a: 1 }],
    ['JSON with a comma too many', '{"R": {"a": 1,},}', { a: 1 }],
    ['lines of Windows', 'R:\r\n  P: [\r\n  a\r\n  ]\r\n', { P: ['a'] }],
  ])('%s', (_case, text, expected) => {
    expect(parseTemplateText(text, 'template.yaml')).toEqual({ R: expected });
  });

  test('a repeated key: the last value counts, and a warning names its line', () => {
    const warnings: string[] = [];
    const text = 'R:\n  Timeout: 3\n  Timeout: 5\n  Other: !Sub {a: 1, a: 2}\n';
    const value = parseTemplateText(text, 'template.yaml', (sentence) => warnings.push(sentence));
    expect(value).toEqual({ R: { Timeout: 5, Other: { 'Fn::Sub': { a: 2 } } } });
    expect(warnings).toEqual([
      'template.yaml:3:3: the key Timeout is repeated; its last value counts.',
      'template.yaml:4:22: the key a is repeated; its last value counts.',
    ]);
  });

  test('indentation inside of flow collections never changes a value', () => {
    const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean());
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('tree')), fc.dictionary(fc.string(), tie('tree'))),
    }));
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1 }), (items) => {
        const flow = stringify(items, { collectionStyle: 'flow', lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE' });
        const shallow = flow.replaceAll(/\n\s*/g, '\n');
        const text = `R:\n  P: ${shallow.trimEnd()}\n  Q: 1\n`;
        expect(parseTemplateText(text, 't.yaml')).toEqual({ R: { P: JSON.parse(JSON.stringify(items)), Q: 1 } });
      }),
    );
  });
});

function failureOf(text: string): OpenrayError | undefined {
  try {
    parseTemplateText(text, 't.yaml');
    return undefined;
  } catch (thrown) {
    if (thrown instanceof OpenrayError) return thrown;
    throw thrown;
  }
}

describe('refuses with one sentence', () => {
  const bomb = Array.from({ length: 9 }, (_, level) => {
    const items = Array(9).fill(level === 0 ? 'lol' : `*a${level - 1}`);
    return `a${level}: &a${level} [${items.join(',')}]`;
  });
  test.each([
    ['aliases that explode', bomb.join('\n'), 't.yaml: a template has at most 500000 values; its aliases make more'],
    ['an alias of itself', 'R: &a [*a]', 't.yaml: a template has at most 200 levels; this one is nested deeper'],
    ['a million brackets', `R: ${'['.repeat(1e6)}`, 't.yaml: a template has at most 200 levels; this one is'],
    ['ten thousand dashes', '- '.repeat(1e4), 't.yaml: a template has at most 200 levels; this one is'],
    ['deep JSON', `{"R": ${'['.repeat(1000)}${']'.repeat(1000)}}`, 't.yaml: a template has at most 200 levels; this'],
    ['an unknown alias', 'R: *x', 't.yaml: Unresolved alias (the anchor must be set before the alias): x'],
    ['an asterisk', 'R: *', 't.yaml:1:4: Alias cannot be an empty string'],
    ['several documents', 'R: 1\n---\nS: 1\n', 't.yaml: a template is one YAML document; this file holds several'],
    ['a text that never ends', 'R: "abc\nS: 1\n', 't.yaml:3:1: Missing closing "quote'],
    ['a list that never ends', 'R: [a,\nS: 1\n', /^t\.yaml:\d+:\d+: /],
    ['more than five million characters', ' '.repeat(6e6), 't.yaml: a template has at most 5242880 characters'],
    ['an empty file', '', 't.yaml: a template is a map with Resources'],
  ])('%s', (_case, text, message) => {
    const failure = failureOf(text);
    expect(failure?.code).toBe('SettingInvalid');
    expect(failure?.message).toMatch(message);
  });

  test('any text is read or refused', () => {
    const piece = fc.constantFrom(
      ...'[]{}"\'\n:,-#&*!|>?% \ta'.split(''),
      'a: ',
      '\n  - ',
      '&a ',
      '*a',
      '!Sub ',
      '<<: ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        failureOf(pieces.join(''));
      }),
      { numRuns: 500 },
    );
  });
});
