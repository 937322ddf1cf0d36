import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitrarySpan } from '../../testing/arbitrary-span.ts';
import { cacheText, spanText } from './span-text.ts';

test('the text of a span is complete, with shared attributes and without', () => {
  fc.assert(
    fc.property(arbitrarySpan, fc.boolean(), ({ span }, isShared) => {
      if (isShared) for (const attribute of span.attributes ?? []) cacheText(attribute);
      expect(JSON.parse(spanText(span))).toEqual(JSON.parse(JSON.stringify(span)));
    }),
    { numRuns: 500 },
  );
});
