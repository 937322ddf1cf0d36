import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJsonObject, type JsonObject, readObject } from '../../json.ts';
import { arbitrarySpan } from '../../testing/arbitrary-span.ts';
import { arbitraryTrace, plainDelivery } from '../../testing/arbitrary-trace.ts';
import { receivedTexts } from '../../testing/builders.ts';
import { spanToEntities } from '../to-xray/span-to-entities.ts';
import { type KeyValue, KIND, type SpanWithResource } from '../types.ts';
import { entitiesToSpans, entityOfDocument, spanToDocuments } from './entities-to-spans.ts';

const ALONE = { indexed: new Set<string>() };

/** As JSON, attributes as a set: their order means nothing. */
function comparable(place: SpanWithResource): unknown {
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
      const documents = spanToDocuments(place, { indexed: new Set(indexed) });
      const read = documents.map((document) => JSON.parse(JSON.stringify(document)) as JsonObject);
      const back = entitiesToSpans(read.map((document) => entityOfDocument(document, read[0])));
      expect(back.map(comparable)).toEqual([comparable(place)]);
    }),
    { numRuns: 1_000 },
  );
});

test('the same span gives the same documents each time', () => {
  fc.assert(
    fc.property(arbitrarySpan, (place) => {
      const texts = () => spanToDocuments(structuredClone(place), ALONE).map((document) => JSON.stringify(document));
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
        const spans = entitiesToSpans(own.map((entity) => ({ ...entity, segment, isFromSpan: false })));
        const back = spans.map((place) => spanToEntities(JSON.parse(JSON.stringify(place)), ALONE)[0]);
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

const addedTo = (place: SpanWithResource, ...added: readonly KeyValue[]): SpanWithResource => ({
  ...place,
  span: { ...place.span, attributes: [...(place.span.attributes ?? []), ...added] },
});

test('what a collector edits in the span of an X-Ray entity is seen, and all else of the entity stays', () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      for (const { entities } of receivedTexts(plainDelivery(trace))) {
        const segment = entities[0]?.fields ?? {};
        const spans = entitiesToSpans(entities.map((entity) => ({ ...entity, segment, isFromSpan: false })));
        for (const place of spans) {
          const sent = spanToEntities(place, ALONE)[0]?.fields;
          const stamped = addedTo(place, { key: 'added', value: { stringValue: 'on the way' } });
          const seen = spanToEntities(stamped, ALONE)[0]?.fields;
          const { metadata: was, ...others } = sent ?? {};
          // What is no namespace at all can not be added to.
          const space = readObject(was)?.default;
          if ((was !== undefined && !isJsonObject(was)) || (space !== undefined && !isJsonObject(space))) continue;
          const { metadata: is, ...same } = seen ?? {};
          expect(same).toEqual(others);
          expect(is).toEqual({
            ...readObject(was),
            default: { ...readObject(readObject(was)?.default), added: 'on the way' },
          });

          const renamed = { ...place, span: { ...place.span, name: 'renamed' } };
          const isOfName = place.span.kind === KIND.internal;
          if (isOfName) expect(spanToEntities(renamed, ALONE)[0]?.fields).toEqual({ ...sent, name: 'renamed' });
        }
      }
    }),
    { numRuns: 100 },
  );
});

test('what is edited in the document of a span is in the span again, and all else of the span stays', () => {
  fc.assert(
    fc.property(arbitrarySpan, (place) => {
      const documents = spanToDocuments(place, ALONE).map(
        (document) => JSON.parse(JSON.stringify(document)) as JsonObject,
      );
      const edited = documents.map((document) => ({ ...document, user: 'somebody else' }));
      const [back] = entitiesToSpans(edited.map((document) => entityOfDocument(document, edited[0])));
      const isKnown = ({ key }: KeyValue) => key === 'enduser.id';
      const users = back?.span.attributes?.filter(isKnown);
      expect(users).toEqual([{ key: 'enduser.id', value: { stringValue: 'somebody else' } }]);
      const without = (one: SpanWithResource | undefined) => {
        const attributes = one?.span.attributes?.filter((attribute) => !isKnown(attribute));
        return (
          one && comparable({ ...one, span: { ...one.span, attributes: attributes?.length ? attributes : undefined } })
        );
      };
      expect(without(back)).toEqual(without(place));
    }),
    { numRuns: 500 },
  );
});
