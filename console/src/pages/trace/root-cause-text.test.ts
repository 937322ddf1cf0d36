import type { WireRootCause } from 'openray/api-types';
import { expect, test } from 'vitest';
import { rootCauseText } from './root-cause-text.ts';

function aCause(...paths: WireRootCause['Services'][number]['EntityPath'][]): WireRootCause {
  return {
    ClientImpacting: true,
    Services: paths.map((EntityPath, index) => ({
      Name: `s${index}`,
      Names: [`s${index}`],
      Type: '',
      AccountId: null,
      Inferred: false,
      EntityPath,
    })),
  };
}

test('the text of a fault has the end of its path and the innermost exception', () => {
  const cause = aCause(
    [{ Name: 's0', Remote: false, Exceptions: [{ Name: 'Outer', Message: 'x' }] }],
    [
      { Name: 's1', Remote: false },
      { Name: 'query', Remote: false, Exceptions: [{ Name: 'Inner', Message: 'y' }] },
    ],
  );
  expect(rootCauseText(cause)).toBe('s1 › query: Inner y');
});

test('the text of a slow entity has its share of the time', () => {
  expect(rootCauseText(aCause([{ Name: 'load', Remote: false, Coverage: 0.74 }]))).toBe('s0 › load, 74 % of the time');
});

test('a service whose path has no other entity is named once', () => {
  expect(rootCauseText(aCause([{ Name: 's0', Remote: false }]))).toBe('s0');
  expect(rootCauseText({ ClientImpacting: false, Services: [] })).toBe('unknown');
});
