import type { Expectation } from './cursor.ts';
import { typeOf } from './keywords.ts';

/** Expectations as short texts for people, each once, in the order they were looked for. */
export function expectationTexts(expected: readonly Expectation[]): readonly string[] {
  return [...new Set(expected.map(expectationText))];
}

function expectationText(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'term':
      return 'keyword';
    case 'operator':
      return expectation.operator;
    case 'text':
      return expectation.text;
    case 'end':
      return 'end';
    case 'value': {
      const { of } = expectation;
      if (of === 'json') return 'JSON array';
      if (typeof of === 'string') return 'string';
      const type = typeOf(of);
      if (type === 'bool') return 'true or false';
      return type === 'any' ? 'value' : type;
    }
  }
}
