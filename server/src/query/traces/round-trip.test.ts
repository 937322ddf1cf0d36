import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Document } from '../../model/entity.ts';
import { spanWriter } from '../../model/otlp/documents/stored-spans.ts';
import type { SpanWithResource } from '../../model/otlp-messages.ts';
import { arbitrarySpan } from '../../model/testing/arbitrary-span.ts';
import { arbitraryTrace, plainDelivery } from '../../model/testing/arbitrary-trace.ts';
import { receivedTexts } from '../../model/testing/builders.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { tracesDataOf } from '../../model/traces-data.ts';
import { storeForThisFile } from '../../store/testing/store-for-this-file.ts';
import { type DocumentsByTrace, documentGroups } from './load-traces.ts';

const store = await storeForThisFile();

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function stored({ span, ...around }: SpanWithResource, seq: number): Document {
  return spanWriter(around, new Set())(span, seq);
}

async function loadAll(ids: readonly TraceId[]): Promise<DocumentsByTrace> {
  const groups: (readonly [TraceId, readonly Document[]])[] = [];
  for await (const { documents } of documentGroups(store, ids)) groups.push(...documents);
  return new Map(groups);
}

test('generated spans are read from the store as they were stored, field by field', async () => {
  const spans = fc.sample(arbitrarySpan, { numRuns: 500, seed: 3 });
  await store.append(spans.map((span, index) => stored(span, index + 1)));
  const ids = spans.map(({ span }) => span.traceId as TraceId);
  const traces = await loadAll(ids);
  for (const { resource, resourceSchemaUrl, scope, scopeSchemaUrl, span } of spans) {
    const scopeSpans = [{ scope, spans: [span], schemaUrl: scopeSchemaUrl }];
    const sent = { resourceSpans: [{ resource, scopeSpans, schemaUrl: resourceSchemaUrl }] };
    expect(asJson(tracesDataOf(traces.get(span.traceId as TraceId) ?? []))).toEqual(asJson(sent));
  }
});

test('generated segment documents are read from the store as they were stored, character by character', async () => {
  const deliveries = fc.sample(arbitraryTrace(), { numRuns: 100, seed: 3 }).map(plainDelivery);
  const documents = deliveries.flatMap((texts, index) =>
    receivedTexts(texts).map((document, at) => ({ ...document, seq: 10_000 + index * 100 + at })),
  );
  await store.append(documents);
  const traces = await loadAll([...new Set(documents.map(({ traceId }) => traceId))]);
  const read = new Set([...traces.values()].flat().map(({ id, seq, text }) => `${id} ${seq} ${text}`));
  for (const { id, seq, text } of documents) expect(read).toContain(`${id} ${seq} ${text}`);
});
