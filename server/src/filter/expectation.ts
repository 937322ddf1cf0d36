import type { Expectation } from './cursor.ts';
import { typeOf } from './operators.ts';

/** Expectations as short texts for a reader, each once, in the order in which the parser looked for them. */
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
