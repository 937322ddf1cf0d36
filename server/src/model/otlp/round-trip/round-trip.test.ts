import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, printJson } from '../../exact-json.ts';
import { isJsonObject, type JsonObject, readObject } from '../../json.ts';
import { type KeyValue, KIND, type SpanWithResource } from '../../otlp-messages.ts';
import { arbitrarySpan } from '../../testing/arbitrary-span.ts';
import { arbitraryTrace, plainDelivery } from '../../testing/arbitrary-trace.ts';
import { aSegment, received, receivedTexts } from '../../testing/builders.ts';
import { aSpan } from '../../testing/spans.ts';
import { ROUND_TRIP_ATTRIBUTE } from '../round-trip-keys.ts';
import { entityOfDocument } from '../to-otlp/entity-of-document.ts';
import { entitiesToSpans } from './entities-to-spans.ts';
import { restoreEntities } from './restore-entities.ts';
import { spanToDocuments } from './span-to-documents.ts';

const ALONE = { indexed: new Set<string>() };

/** As JSON with sorted attributes, as their order has no meaning. */
function comparable(entry: SpanWithResource): unknown {
  const byKey = (list: readonly KeyValue[] | undefined) => list?.map((one) => printJson(one)).sort();
  const { span, resource } = entry;
  return parseJson(
    printJson({
      ...entry,
      resource: { ...resource, attributes: byKey(resource.attributes) },
      span: { ...span, attributes: byKey(span.attributes) },
    }),
  );
}

test('a span translated to documents, printed, parsed and translated back is the same span', () => {
  fc.assert(
    fc.property(arbitrarySpan, fc.constantFrom([], ['*'], ['tenant', 'a-b']), (entry, indexed) => {
      const documents = spanToDocuments(entry, { indexed: new Set(indexed) });
      const read = documents.map((document) => parseJson(printJson(document)) as JsonObject);
      const back = entitiesToSpans(read.map((document) => entityOfDocument(document, read[0])));
      expect(back.map(comparable)).toEqual([comparable(entry)]);
    }),
    { numRuns: 1_000 },
  );
});

test('the same span gives the same documents each time', () => {
  fc.assert(
    fc.property(arbitrarySpan, (entry) => {
      const texts = () => spanToDocuments(structuredClone(entry), ALONE).map((document) => printJson(document));
      expect(texts()).toEqual(texts());
    }),
  );
});

test('a segment with its subsegments translated to spans and back is the same, with any annotation keys', () => {
  fc.assert(
    fc.property(arbitraryTrace(), fc.constantFrom([], ['*'], ['http.request.method']), (trace, indexed) => {
      const context = { indexed: new Set(indexed) };
      const documents = receivedTexts(plainDelivery(trace));
      const entities = documents.flatMap((document) => document.entities);
      for (const { entities: own } of documents) {
        const segment = own[0]?.fields ?? {};
        const spans = entitiesToSpans(own.map((entity) => ({ ...entity, segment, isFromSpan: false })));
        // A span that says all of its entity has no mark of X-Ray: there the keys apply, as to any span.
        const back = spans.map((entry) => {
          const isMarked = entry.span.attributes?.some(({ key }) => key === ROUND_TRIP_ATTRIBUTE) ?? false;
          return restoreEntities(JSON.parse(JSON.stringify(entry)), isMarked ? context : { indexed: new Set() })[0];
        });
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

const addedTo = (entry: SpanWithResource, ...added: readonly KeyValue[]): SpanWithResource => ({
  ...entry,
  span: { ...entry.span, attributes: [...(entry.span.attributes ?? []), ...added] },
});

test('an edit of a collector in a translated entity is kept, and so is the rest of the entity', () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      for (const { entities } of receivedTexts(plainDelivery(trace))) {
        const segment = entities[0]?.fields ?? {};
        const spans = entitiesToSpans(entities.map((entity) => ({ ...entity, segment, isFromSpan: false })));
        for (const entry of spans) {
          const sent = restoreEntities(entry, ALONE)[0]?.fields;
          const stamped = addedTo(entry, { key: 'added', value: { stringValue: 'on the way' } });
          const seen = restoreEntities(stamped, ALONE)[0]?.fields;
          const { metadata: was, ...others } = sent ?? {};
          // Metadata that are not an object have no namespace to which an attribute can be added.
          const namespace = readObject(was)?.default;
          if ((was !== undefined && !isJsonObject(was)) || (namespace !== undefined && !isJsonObject(namespace)))
            continue;
          const { metadata: is, ...same } = seen ?? {};
          expect(same).toEqual(others);
          expect(is).toEqual({
            ...readObject(was),
            default: { ...readObject(readObject(was)?.default), added: 'on the way' },
          });

          const renamed = { ...entry, span: { ...entry.span, name: 'renamed' } };
          const isOfName = entry.span.kind === KIND.internal;
          if (isOfName) expect(restoreEntities(renamed, ALONE)[0]?.fields).toEqual({ ...sent, name: 'renamed' });
        }
      }
    }),
    { numRuns: 100 },
  );
});

test('annotation keys apply to the attributes that were added to a translated entity', () => {
  const [document] = received(aSegment({ annotations: { tier: 'gold' } }));
  const [entity] = document?.entities ?? [];
  if (entity === undefined) throw new Error('the segment is not an entity');
  const [sent] = entitiesToSpans([{ ...entity, segment: entity.fields, isFromSpan: false }]);
  const edited = addedTo(sent as SpanWithResource, { key: 'added', value: { stringValue: 'on the way' } });
  const annotationsWith = (...keys: readonly string[]) =>
    restoreEntities(edited, { indexed: new Set(keys) })[0]?.annotations;
  expect(annotationsWith()).toEqual({ tier: 'gold' });
  expect(annotationsWith('added')).toEqual({ tier: 'gold', added: 'on the way' });
  expect(annotationsWith('*')).toEqual({ tier: 'gold', added: 'on the way' });
});

test('an edit in the document of a span is in the restored span, and so is the rest of the span', () => {
  fc.assert(
    fc.property(arbitrarySpan, (entry) => {
      const documents = spanToDocuments(entry, ALONE).map((document) => parseJson(printJson(document)) as JsonObject);
      const edited = documents.map((document) => ({ ...document, user: 'another user' }));
      const [back] = entitiesToSpans(edited.map((document) => entityOfDocument(document, edited[0])));
      const isKnown = ({ key }: KeyValue) => key === 'enduser.id';
      const users = back?.span.attributes?.filter(isKnown);
      expect(users).toEqual([{ key: 'enduser.id', value: { stringValue: 'another user' } }]);
      const without = (one: SpanWithResource | undefined) => {
        const attributes = one?.span.attributes?.filter((attribute) => !isKnown(attribute));
        return (
          one && comparable({ ...one, span: { ...one.span, attributes: attributes?.length ? attributes : undefined } })
        );
      };
      expect(without(back)).toEqual(without(entry));
    }),
    { numRuns: 500 },
  );
});

test('an attribute openray.xray with invalid content is an attribute like any other', () => {
  const invalid = [
    'x',
    'null',
    '{"v":2,"set":{"name":"x"},"unset":[]}',
    '{"v":1,"set":{},"unset":[7]}',
    '{"v":1,"set":[],"unset":[]}',
  ];
  for (const text of invalid) {
    const [entity] = restoreEntities(aSpan({ attributes: { 'openray.xray': text } }, {}), ALONE);
    expect([entity?.name, entity?.metadata]).toEqual(['work', { default: { 'openray.xray': text } }]);
  }
});
