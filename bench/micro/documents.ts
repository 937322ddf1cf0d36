import type { Document } from '../../server/src/model/entity.ts';
import { parseDocument } from '../../server/src/model/parse-document.ts';
import { generateTraces, makeDataset } from '../load/generate.ts';

const traces = [
  ...generateTraces(
    makeDataset({ seed: 1, traceCount: 100, serviceCount: 200, fromUs: 1.79e15, toUs: 1.79e15 + 3.6e9 }),
  ),
];

const textsByTrace: readonly (readonly string[])[] = traces.map(({ documents }) => documents);

/** Documents of 100 generated traces: a thousand spans, the size of one page of a list. */
export const texts: readonly string[] = textsByTrace.flat();

/** The same documents after parsing. */
export const documentsByTrace: readonly (readonly Document[])[] = textsByTrace.map((ofTrace) =>
  ofTrace.flatMap((text, index) =>
    parseDocument(text, 1.79e15 + index).map((parsed) => {
      if (!parsed.ok) throw new Error(parsed.message);
      return parsed.document;
    }),
  ),
);
