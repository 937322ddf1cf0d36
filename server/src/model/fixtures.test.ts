import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { Document } from './entity.ts';
import type { JsonObject } from './json.ts';
import { parseDocument } from './parse-document.ts';
import { orphanDocuments, processedDocuments } from './processed-document.ts';

const FOLDER = new URL('../../../fixtures/xray-udp/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl'));
const textsOf = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8').trimEnd().split('\n');

const parse = (text: string): readonly Document[] =>
  parseDocument(text, 1).flatMap((result) => {
    if (!result.ok) throw new Error(`${result.code}: ${text.slice(0, 200)}`);
    return [result.document];
  });

describe('documents of real clients', () => {
  test.each(files)('%s: all are accepted, and no field is lost', (file) => {
    for (const text of textsOf(file)) {
      const trace = assembleTrace(parse(text));
      if (trace === undefined) throw new Error('no trace');
      const [shown] = [...processedDocuments(trace), ...orphanDocuments(trace)];
      const sent: JsonObject = JSON.parse(text);
      // Ids that nesting implies, a flag without meaning, and fields for the daemon only.
      const { type, trace_id, parent_id, in_progress, subsegments, ...fields } = sent;
      expect(shown?.document).toMatchObject(fields as Record<string, unknown>);
    }
  });

  test('together they make complete traces: every entity of every client has its parent', () => {
    const byTrace = new Map<string, Document[]>();
    for (const document of files.flatMap(textsOf).flatMap(parse)) {
      byTrace.set(document.traceId, [...(byTrace.get(document.traceId) ?? []), document]);
    }
    expect(byTrace.size).toBe(4);
    for (const documents of byTrace.values()) {
      const trace = assembleTrace(documents.map((document, index) => ({ ...document, seq: index })));
      expect(trace).toMatchObject({ isPartial: false, orphans: [] });
      expect(trace?.root?.origin).toBe('AWS::Lambda');
    }
  });
});
