import { expect, test } from 'vitest';
import { aSummary } from '../testing/summary.ts';
import { vocabularyOf } from './vocabulary.ts';

test('fields and values of the traces are offered, each once', () => {
  const traces = [
    aSummary({ user: 'ana', annotations: { tier: 'gold', attempt: 2 } }),
    aSummary({ annotations: { tier: 'gold' } }),
  ];
  expect(vocabularyOf([], traces)).toEqual({
    services: [],
    serviceTypes: [],
    annotationKeys: ['attempt', 'tier'],
    values: {
      'http.url': ['https://shop.example.com/'],
      'http.method': ['GET'],
      'http.status': [200],
      user: ['ana'],
      'annotation.tier': ['gold'],
      'annotation.attempt': [2],
    },
  });
});
