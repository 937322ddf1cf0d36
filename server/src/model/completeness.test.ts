import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { type CompletenessOptions, missingParts } from './completeness.ts';
import type { JsonObject } from './json.ts';
import { anId, aSegment, aSubsegment, received } from './testing/builders.ts';
import type { Trace } from './trace.ts';

function missing(documents: readonly JsonObject[], options?: CompletenessOptions) {
  return missingParts(assembleTrace(received(...documents)) as Trace, options);
}

const SERVICE = { id: anId('a'), origin: 'AWS::Lambda', http: { response: { status: 200 } } };
const FUNCTION = { id: anId('f'), parent_id: anId('a'), origin: 'AWS::Lambda::Function' };

describe('a trace', () => {
  test('is complete when all entities that it refers to were received and have ended', () => {
    expect(missing([aSegment({ subsegments: [aSubsegment()] })])).toEqual([]);
    expect(missing([aSegment(SERVICE), aSegment(FUNCTION)])).toEqual([]);
  });

  test('waits for entities in progress', () => {
    expect(missing([aSegment({ end_time: undefined, in_progress: true })])).toEqual(['"shop" is in progress']);
  });

  test('waits for parents, and for a segment', () => {
    expect(missing([aSubsegment({ parent_id: anId('b') })])).toEqual([
      'no segment has arrived',
      'bbbbbbbbbbbbbbbb, the parent of "## index.handler", has not arrived',
    ]);
  });

  test('does not wait for a caller that is known to send no segments', () => {
    const called = aSegment({ parent_id: anId('b') });
    expect(missing([called])).toHaveLength(1);
    expect(missing([called], { isCallerUntraced: true })).toEqual([]);
    const other = aSegment({ id: anId('c'), parent_id: anId('d'), start_time: 1_716_560_000.2 });
    expect(missing([called, other], { isCallerUntraced: true })).toEqual([
      'dddddddddddddddd, the parent of "shop", has not arrived',
    ]);
  });

  test('waits for the segment of a function that Lambda ran, synchronously or not', () => {
    expect(missing([aSegment({ ...SERVICE, name: 'orders' })])).toEqual([
      'the segment of the function "orders" has not arrived',
    ]);
    const attempt = aSubsegment({ id: anId('1'), name: 'Attempt #1', http: { response: { status: 200 } } });
    const queued = { ...SERVICE, http: { response: { status: 202 } }, subsegments: [attempt] };
    expect(missing([aSegment(queued)])).toEqual(['the segment of the function "shop" has not arrived']);
    expect(missing([aSegment(queued), aSegment({ ...FUNCTION, parent_id: anId('1') })])).toEqual([]);
  });

  test('does not wait for a throttled function', () => {
    expect(missing([aSegment({ ...SERVICE, http: { response: { status: 429 } } })])).toEqual([]);
  });
});
