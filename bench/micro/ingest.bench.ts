import { bench, describe } from 'vitest';
import { writeCommonSegment } from '../../server/src/ingest/segment-rows.ts';
import { compactJson } from '../../server/src/model/compact-json.ts';
import { newJsonTokens, readTokens } from '../../server/src/model/json-tokens.ts';
import { parseDocument } from '../../server/src/model/parse-document.ts';
import { clearLeanSegments, newLeanSegmentBuffer } from '../../server/src/store/lean-segments.ts';
import { createRowBuffer } from '../../server/src/store/row-binary.ts';
import { collectAttributes } from '../../server/src/store/write/attribute-strings.ts';
import { emptied, newRowBuffers } from '../../server/src/store/write/block.ts';
import { writeDocument, writeEntities } from '../../server/src/store/write/rows.ts';
import { documentsByTrace, texts } from './documents.ts';

const documents = documentsByTrace.flat();
const target = createRowBuffer();
let segmentRows = newRowBuffers();
const leanSegments = newLeanSegmentBuffer();
const tokens = newJsonTokens();

describe('a thousand spans in', () => {
  bench('JSON.parse', () => {
    for (const text of texts) JSON.parse(text);
  });

  bench('compactJson', () => {
    for (const text of texts) compactJson(text);
  });

  bench('parseDocument', () => {
    for (const text of texts) parseDocument(text, 1);
  });

  bench('readTokens', () => {
    for (const text of texts) readTokens(tokens, text);
  });

  bench('writeCommonSegment: from texts to rows', () => {
    segmentRows = emptied(segmentRows);
    clearLeanSegments(leanSegments);
    const source = { seq: 1, server: 0, maxBytes: 65_536 };
    for (const text of texts) writeCommonSegment(text, source, segmentRows, leanSegments);
  });

  bench('collectAttributes', () => {
    for (const { entities } of documents) collectAttributes(entities);
  });

  bench('rows of entities', () => {
    target.length = 0;
    for (const document of documents) writeEntities(target, document);
  });

  bench('rows of documents', () => {
    target.length = 0;
    for (const document of documents) writeDocument(target, document);
  });
});
