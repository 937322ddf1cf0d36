import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFilter } from './parser.ts';
import { printFilter } from './print.ts';
import { arbitraryFilter, withoutRanges } from './testing/arbitrary-filter.ts';

test('a printed filter parses to the same tree', () => {
  fc.assert(
    fc.property(arbitraryFilter, (filter) => {
      const text = printFilter(filter);
      fc.pre(text.length <= 10_000);
      expect(withoutRanges(parseFilter(text))).toEqual(withoutRanges(filter));
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['ok !partial duration <3', 'ok AND !partial AND duration < 3'],
  ['FAULT or ERROR and User = "bob"', 'fault OR error AND user = "bob"'],
  ['(fault or error) user = "bob"', '(fault OR error) AND user = "bob"'],
  ['not http.method="GET"', '!(http.method = "GET")'],
  ['service{throttle}', 'service() { throttle }'],
  ['annotation["tier"] = "gold" annotation[request.id]', 'annotation.tier = "gold" AND annotation["request.id"]'],
  ['metadata["my app"].order.id in (1,"2",true)', 'metadata["my app"].order.id IN (1, "2", true)'],
  ['service(id(type:"client"))', 'service(id(type: "client"))'],
  ['fault = "true"', 'fault = true'],
  ['order by duration', 'ORDER BY duration DESC'],
  ['  ', ''],
])('%s is printed as %s', (text, printed) => {
  expect(printFilter(parseFilter(text))).toBe(printed);
});
