import { z } from 'zod';
import type { IngestContext } from '../ingest/accept.ts';
import { readTraceId, type TraceId } from '../model/trace-id.ts';
import type { SamplingRule } from '../sampling/rules.ts';
import type { SamplingTargets } from '../sampling/targets.ts';

/** What an operation may use. `signal` fires when the caller has gone away. */
export type ApiContext = IngestContext & {
  readonly nextSeq: () => number;
  readonly documentMaxBytes: number;
  readonly samplingRules: () => readonly SamplingRule[];
  /** As they are set, see `readRetentionRule`. */
  readonly retentionRules: readonly string[];
  readonly samplingTargets: SamplingTargets;
  readonly region: string;
  readonly accountId: string;
  readonly signal: AbortSignal;
  /** Called when the answer lacks what a shard has that can not be reached. */
  readonly onIncomplete: () => void;
};

/** One operation of the X-Ray API: all of them are `POST <path>` with JSON in and out. */
export type Operation<Input = unknown> = {
  readonly name: string;
  readonly path: string;
  readonly input: z.ZodType<Input>;
  run(input: Input, context: ApiContext): Promise<object>;
};

export function operation<Schema extends z.ZodType>(
  definition: { readonly input: Schema; run(input: z.output<Schema>, context: ApiContext): Promise<object> } & Pick<
    Operation,
    'name' | 'path'
  >,
): Operation {
  return definition as Operation;
}

/** A member that clients may leave out or send as null. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullish()
    .transform((value): z.output<Schema> | undefined => (value === null ? undefined : (value as z.output<Schema>)));
}

/** Above this a number is milliseconds: the Java SDK's sampling poller sends those. */
const LATEST_SECONDS = 1e11;

/** Epoch seconds with fractions, or RFC 3339 text; whole microseconds inside. */
export const epochSeconds = z
  .union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text) / 1000)], {
    error: 'must be a time: epoch seconds, or text such as 2026-05-24T14:13:20Z',
  })
  .transform((seconds) => Math.round((Math.abs(seconds) > LATEST_SECONDS ? seconds / 1000 : seconds) * 1e6));

export const traceId = z.string().transform((text, context): TraceId => {
  const id = readTraceId(text);
  if (id !== undefined) return id;
  context.addIssue({ code: 'custom', message: `Invalid trace id ${text.slice(0, 64)}: incorrect id format` });
  return z.NEVER;
});
