import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../json.ts';
import { arbitrarySpan } from '../testing/arbitrary-span.ts';
import { arbitraryTrace, plainDelivery } from '../testing/arbitrary-trace.ts';
import { receivedTexts } from '../testing/builders.ts';
import { documentsOfSpan, entityOfDocument, spansOfEntities } from './residual.ts';
import type { KeyValue, SpanInPlace } from './types.ts';
import { entitiesOfSpan } from './view.ts';

const ALONE = { indexed: new Set<string>() };

/** As JSON, attributes as a set: their order means nothing. */
function comparable(place: SpanInPlace): unknown {
  const byKey = (list: readonly KeyValue[] | undefined) => list?.map((one) => JSON.stringify(one)).sort();
  const { span, resource } = place;
  return JSON.parse(
    JSON.stringify({
      ...place,
      resource: { ...resource, attributes: byKey(resource.attributes) },
      span: { ...span, attributes: byKey(span.attributes) },
    }),
  );
}

test('a span made into documents, printed, read and made into a span again is the same span', () => {
  fc.assert(
    fc.property(arbitrarySpan, fc.constantFrom([], ['*'], ['tenant', 'a-b']), (place, indexed) => {
      const documents = documentsOfSpan(place, { indexed: new Set(indexed) });
      const read = documents.map((document) => JSON.parse(JSON.stringify(document)) as JsonObject);
      const back = spansOfEntities(read.map((document) => entityOfDocument(document, read[0])));
      expect(back.map(comparable)).toEqual([comparable(place)]);
    }),
    { numRuns: 1_000 },
  );
});

test('the same span gives the same documents each time', () => {
  fc.assert(
    fc.property(arbitrarySpan, (place) => {
      const texts = () => documentsOfSpan(structuredClone(place), ALONE).map((document) => JSON.stringify(document));
      expect(texts()).toEqual(texts());
    }),
  );
});

test('a segment with its subsegments made into spans and back is the same, member by member', () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      const documents = receivedTexts(plainDelivery(trace));
      const entities = documents.flatMap((document) => document.entities);
      for (const { entities: own } of documents) {
        const segment = own[0]?.fields ?? {};
        const spans = spansOfEntities(own.map((entity) => ({ ...entity, segment, isFromSpan: false })));
        const back = spans.map((place) => entitiesOfSpan(JSON.parse(JSON.stringify(place)), ALONE)[0]);
        for (const [index, entity] of own.entries()) {
          const again = back[index];
          expect({ ...again, fields: undefined }).toEqual({ ...entity, fields: undefined });
          const { trace_id, parent_id, type, ...inline } = again?.fields ?? {};
          expect(entity === own[0] ? again?.fields : inline).toEqual(entity.fields);
        }
      }
      expect(entities.length).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
});
