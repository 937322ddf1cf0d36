import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Completion, complete, type Vocabulary } from './complete.ts';
import { readFilter } from './parser.ts';
import { printFilter } from './print.ts';
import { arbitraryFilter } from './testing/arbitrary-filter.ts';

const vocabulary: Vocabulary = {
  services: ['api', 'backend'],
  serviceTypes: ['AWS::Lambda', 'client'],
  accountIds: ['123456789012'],
  groups: ['slow'],
  groupArns: ['arn:aws:xray:eu-west-1:123456789012:group/slow/A'],
  annotationKeys: ['tier', 'request.id'],
  metadataPaths: [['app', 'order', 'id']],
  segmentPaths: [['sql', 'url']],
  values: { 'http.method': ['GET'], 'annotation.tier': ['gold', 'silver'], type: ['remote'] },
};

/** The whole text with each completion at `|`. */
function texts(textWithCursor: string): readonly string[] {
  const offset = textWithCursor.indexOf('|');
  const text = textWithCursor.replace('|', '');
  return complete(text, offset, vocabulary).map(
    (item) => text.slice(0, item.start) + item.insert + text.slice(item.end),
  );
}

test.each<readonly [string, readonly string[]]>([
  ['http.m|', ['http.method']],
  ['!http.m|', ['!http.method']],
  ['fault = |', ['fault = true', 'fault = false']],
  ['fault = t|', ['fault = true']],
  ['user CON|', ['user CONTAINS ']],
  ['service(|', ['service(id(', 'service("api"', 'service("backend"']],
  ['service("ba|', ['service("backend"']],
  ['service("ba|")', ['service("backend")']],
  ['service(id(|', ['service(id(name: ', 'service(id(type: ', 'service(id(account.id: ']],
  ['edge("api", id(type: "cl|', ['edge("api", id(type: "client"']],
  ['edge(id(account.id: |', ['edge(id(account.id: "123456789012"']],
  ['service("api") { na|', ['service("api") { name']],
  ['service("api") { name = |', ['service("api") { name = "api"', 'service("api") { name = "backend"']],
  ['service { type = "r|', ['service { type = "remote"']],
  ['annotation.t|', ['annotation.tier']],
  ['annotation[req|', ['annotation["request.id"]']],
  ['annotation.request|', ['annotation["request.id"]']],
  [
    'edge { source.a|',
    ['edge { source.annotation.tier', 'edge { source.annotation["request.id"]', 'edge { resource.arn'],
  ],
  ['annotation.tier IN ("gold", |', ['annotation.tier IN ("gold", "gold"', 'annotation.tier IN ("gold", "silver"']],
  ['annotation.tier = "s|', ['annotation.tier = "silver"']],
  ['metadata.app.|', ['metadata.app.order.id']],
  ['segment.sql|', ['segment.sql.url']],
  ['group.name = |', ['group.name = "slow"']],
  ['group.arn = |', ['group.arn = "arn:aws:xray:eu-west-1:123456789012:group/slow/A"']],
  ['rootcause.responsetime.e|', ['rootcause.responsetime.entity { ']],
  ['fault ORDER |', ['fault ORDER BY']],
  ['ORDER BY |', ['ORDER BY start', 'ORDER BY duration', 'ORDER BY responsetime']],
  ['ORDER BY start |', ['ORDER BY start ASC', 'ORDER BY start DESC']],
  ['nonsense fau|', []],
  ['user = "it is fau|', []],
])('%s offers %j', (text, expected) => {
  expect(texts(text)).toEqual(expected);
});

test('after a term the completions are its operators, AND, OR and other terms', () => {
  const labels = complete('duration ', 9, vocabulary).map((item) => item.label);
  expect(labels).toEqual(expect.arrayContaining(['=', '<', 'IN', 'AND', 'OR', 'ORDER', 'fault', 'service']));
  expect(labels).not.toContain('CONTAINS');
  expect(labels).not.toContain('coverage');
});

test('a completion never makes the text before it invalid', () => {
  fc.assert(
    fc.property(arbitraryFilter, fc.nat(), (filter, at) => {
      const text = printFilter(filter);
      const offset = at % (text.length + 1);
      for (const item of complete(text, offset, vocabulary)) {
        expect(item.start).toBeLessThanOrEqual(offset);
        expect(item.end).toBeGreaterThanOrEqual(offset);
        expect(errorInside(text.slice(0, item.start), item)).toBeUndefined();
      }
    }),
    { numRuns: 300 },
  );
});

/** The mistake in the text after the completion; undefined if the text is valid or only incomplete. */
function errorInside(before: string, { insert, label }: Completion) {
  // After `annotation.` and similar completions a key is still missing.
  const text = before + (label.endsWith('.') ? `${insert}k` : insert);
  const reading = readFilter(text);
  return reading.ok || reading.error.position >= text.trimEnd().length ? undefined : { text, error: reading.error };
}
