import { bench, describe } from 'vitest';
import { compactJson } from '../../server/src/model/compact-json.ts';
import { parseDocument } from '../../server/src/model/parse-document.ts';
import { createRowBuffer } from '../../server/src/store/row-binary.ts';
import { collectAttributes } from '../../server/src/store/write/attribute-strings.ts';
import { writeDocument, writeEntities } from '../../server/src/store/write/rows.ts';
import { documentsByTrace, texts } from './documents.ts';

const documents = documentsByTrace.flat();
const target = createRowBuffer();

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
