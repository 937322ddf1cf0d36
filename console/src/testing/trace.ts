import type { WireTrace } from 'openray/api-types';

type Document = { readonly id: string; readonly [field: string]: unknown };

export const TRACE_ID = '1-5f84c7a9-3c4d5e6f708192a3b4c5d6e7';

/** The API's form of a trace with these documents. */
export function aTrace(segments: readonly Document[], orphans: readonly Document[] = []): WireTrace {
  const wire = (documents: readonly Document[]) =>
    documents.map((document) => ({ Id: document.id, Document: JSON.stringify(document) }));
  return { Id: TRACE_ID, Duration: null, LimitExceeded: false, Segments: wire(segments), Orphans: wire(orphans) };
}

/**
 * One segment, `0`, and `levels` subsegments, each nested in the one before. Built as text: `JSON.stringify` fails at
 * this depth.
 */
export function aDeepTrace(levels: number): WireTrace {
  const open = Array.from(
    { length: levels },
    (_, level) => `{"id":"${level}","name":"level ${level}","start_time":100,"end_time":101,"subsegments":[`,
  );
  const innermost = `{"id":"${levels}","name":"level ${levels}","start_time":100,"end_time":101}`;
  return { ...aTrace([]), Segments: [{ Id: '0', Document: `${open.join('')}${innermost}${']}'.repeat(levels)}` }] };
}

/**
 * A cold invocation of a function with one HTTP call to a service that sent a segment, and one query to a database that
 * sent none.
 */
export const LAMBDA_TRACE: readonly Document[] = [
  { id: 'a1', name: 'fn', start_time: 100, end_time: 102, origin: 'AWS::Lambda', http: { response: { status: 200 } } },
  {
    id: 'b1',
    name: 'fn',
    parent_id: 'a1',
    start_time: 101,
    end_time: 101.9,
    origin: 'AWS::Lambda::Function',
    fault: true,
    cause: {
      exceptions: [
        { id: 'e1e1e1e1e1e1e1e1', type: 'TypeError', message: 'no', stack: [{ path: 'file', line: null, label: 'h' }] },
      ],
    },
    subsegments: [
      {
        id: 'b3',
        name: 'Invocation',
        start_time: 101,
        end_time: 101.8,
        subsegments: [
          {
            id: 'b4',
            name: 'api.example.com',
            namespace: 'remote',
            start_time: 101.1,
            end_time: 101.6,
            cause: 'e1e1e1e1e1e1e1e1',
          },
          {
            id: 'b5',
            name: 'users@db',
            namespace: 'remote',
            start_time: 101.6,
            end_time: 101.7,
            http: { response: { status: 429 } },
          },
        ],
      },
      { id: 'b2', name: 'Initialization', start_time: 100.4, end_time: 100.9 },
    ],
  },
  { id: 'c1', name: 'api', parent_id: 'b4', start_time: 101.2, end_time: 101.5, annotations: { plan: 'free' } },
  {
    id: 'i1',
    name: 'users@db',
    parent_id: 'b5',
    inferred: true,
    origin: 'Database::SQL',
    start_time: 101.6,
    end_time: 101.7,
  },
];
