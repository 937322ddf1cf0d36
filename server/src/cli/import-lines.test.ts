import { expect, test } from 'vitest';
import { readImportLine } from './import-lines.ts';

const document = (fields: object = {}) =>
  JSON.stringify({ trace_id: '1-6650a080-3c4d5e6f708192a3b4c5d6e7', id: 'a', ...fields });

test('reads a line of OTLP/JSON and ignores the cursor of an export', () => {
  expect(readImportLine('{"resourceSpans":[{"resource":{}}],"cursor":"x"}')).toEqual({
    kind: 'otlp',
    resourceSpans: [{ resource: {} }],
    resourceLogs: [],
  });
});

test('keeps a document as written, to the last digit', () => {
  const line = document({ start_time: 1 }).replace('1}', '1700000000.123456789}');
  expect(readImportLine(line)).toEqual({ kind: 'xray', documents: [line] });
});

test.each([
  ['a list', `[${document()},${document({ id: 'b' })}]`, 2],
  ['a segment of BatchGetTraces', JSON.stringify({ Id: 'a', Document: document() }), 1],
  [
    'a response of BatchGetTraces',
    JSON.stringify({ Traces: [{ Segments: [{ Document: document() }, { Document: document() }] }] }),
    2,
  ],
  ['an inferred segment of X-Ray', document({ inferred: true }), 0],
])('%s holds documents', (_form, line, count) => {
  expect(readImportLine(line)).toMatchObject({ kind: 'xray', documents: { length: count } });
});

test.each(['{"name":"x"}', '1', '"text"', 'null', '[1]', '{', '{"Document":"{}"}'])('%s is rejected', (line) => {
  expect(() => readImportLine(line)).toThrow(/it is (neither|not JSON)/);
});
