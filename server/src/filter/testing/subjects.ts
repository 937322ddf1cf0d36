import { assembleTrace } from '../../model/assemble.ts';
import type { JsonObject } from '../../model/json.ts';
import { A_START, aSegment, aSubsegment, received } from '../../model/testing/builders.ts';
import { type FilterSubject, subjectOf } from '../subject.ts';

type Fields = Parameters<typeof aSegment>[0];

/** The trace of these documents, with the data that filters are evaluated on. */
export function subjectOfDocuments(documents: readonly JsonObject[]): FilterSubject {
  const trace = assembleTrace(received(...documents));
  if (trace === undefined) throw new Error('no documents');
  return subjectOf(trace);
}

/** A trace of one segment, `shop`, of half a second and without a failure. `fields` replace its fields. */
export function oneSegment(fields: Fields = {}): readonly JsonObject[] {
  return [aSegment(fields)];
}

/** A trace of one segment of `durationS` seconds. */
export function oneSegmentLasting(durationS: number, fields: Fields = {}): readonly JsonObject[] {
  return oneSegment({ end_time: A_START + durationS, ...fields });
}

/** A trace of one segment that received a request. */
export function oneSegmentWithRequest(request: JsonObject, status?: number): readonly JsonObject[] {
  return oneSegment({ http: { request, ...(status !== undefined && { response: { status } }) } });
}

export function oneSegmentWithStatus(status: number): readonly JsonObject[] {
  return oneSegment({ http: { response: { status } } });
}

const CALL = '1111111111111111';

/** A call to another service, for `shop`'s subsegments. */
export function call(fields: Fields = {}): JsonObject {
  return aSubsegment({ id: CALL, name: 'backend', namespace: 'remote', ...fields });
}

/** A query of a DynamoDB table. */
export function tableCall(table: string, fields: Fields = {}): JsonObject {
  return call({ name: 'DynamoDB', namespace: 'aws', aws: { operation: 'Query', table_name: table }, ...fields });
}

/** The segment of the service that `call` reached. */
export function callee(fields: Fields = {}): JsonObject {
  return aSegment({ id: '2222222222222222', name: 'backend', parent_id: CALL, ...fields });
}

/** Exceptions as a segment records them. */
export function causedBy(...exceptions: readonly (readonly [type: string, message: string])[]): JsonObject {
  return { exceptions: exceptions.map(([type, message], index) => ({ id: `${index}`.repeat(16), type, message })) };
}
