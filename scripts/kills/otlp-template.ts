import { randomFillSync } from 'node:crypto';
import { otlpBodies } from '../../bench/load/bodies.ts';
import { makeDataset, traceAt } from '../../bench/load/generate.ts';
import { SPANS_PER_TRACE } from '../../bench/load/trace-shapes.ts';

const TRACES = 50;
const TRACE_ID_BYTES = 16;

export const SPANS_PER_REQUEST = TRACES * SPANS_PER_TRACE;

/** A request of OpenTelemetry's exporter, whose traces no other request has. */
export type OtlpRequest = { readonly body: Buffer; readonly traceIds: readonly string[] };

/**
 * Requests of 500 spans that cost a copy and 50 random ids each: all are one encoded body with other trace ids, so that
 * the generator does not compete with the server.
 */
export function newOtlpTemplate(): () => OtlpRequest {
  const toUs = Date.now() * 1000;
  const dataset = makeDataset({ seed: 1, traceCount: TRACES, serviceCount: 20, fromUs: toUs - 60_000_000, toUs });
  const [template = Buffer.alloc(0)] = otlpBodies(dataset, 0, TRACES);
  const places = Array.from({ length: TRACES }, (_, index) => {
    const { traceId } = traceAt(dataset, index);
    return placesOf(template, Buffer.from(traceId.slice(2).replace('-', ''), 'hex'));
  });
  return () => {
    const body = Buffer.from(template);
    const ids = randomFillSync(Buffer.alloc(TRACES * TRACE_ID_BYTES));
    const traceIds = places.map((starts, index) => {
      const id = ids.subarray(index * TRACE_ID_BYTES, (index + 1) * TRACE_ID_BYTES);
      for (const start of starts) id.copy(body, start);
      return id.toString('hex');
    });
    return { body, traceIds };
  };
}

function placesOf(body: Buffer, bytes: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = body.indexOf(bytes); at >= 0; at = body.indexOf(bytes, at + bytes.length)) places.push(at);
  return places;
}
