import type { z } from 'zod';
import type { IngestContext } from '../ingest/accept.ts';
import type { SamplingRule } from '../sampling/rules.ts';
import type { SamplingTargets } from '../sampling/targets.ts';

/** Everything that an operation may use. */
export type ApiContext = IngestContext & {
  readonly nextSeq: () => number;
  readonly documentMaxBytes: number;
  readonly samplingRules: () => readonly SamplingRule[];
  /** In the form of the setting, see `readRetentionRule`. */
  readonly retentionRules: readonly string[];
  readonly samplingTargets: SamplingTargets;
  readonly region: string;
  readonly accountId: string;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  /** Called when the response lacks the data of an unreachable shard. */
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
