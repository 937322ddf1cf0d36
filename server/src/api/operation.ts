import type * as z from 'zod';
import type { IngestContext } from '../ingest/accept.ts';
import { printJson } from '../model/exact-json.ts';
import type { TraceWaits } from '../query/traces/wait-for-trace.ts';
import type { SamplingRule } from '../sampling/rules.ts';
import type { SamplingTargets } from '../sampling/targets.ts';

/** With the value `1` the request asks for openray's own members in responses of X-Ray's operations. */
export const EXTENSIONS_HEADER = 'x-openray-extensions';

/** Marks an incomplete response and holds the reasons; X-Ray's responses have no member for it. */
export const INCOMPLETE_HEADER = 'x-openray-incomplete';

/** Where this server receives data, and the functions that it runs. */
export type ServerReceivers = {
  /** `host:port` of UDP and of every HTTP API. */
  readonly daemonAddress: string;
  /** Undefined where the receiver is switched off. */
  readonly otlpHttpUrl: string | undefined;
  readonly otlpGrpcUrl: string | undefined;
  readonly functions: readonly string[];
};

/** Everything that an operation may use. */
export type ApiContext = IngestContext & {
  readonly nextSeq: (count?: number) => number;
  readonly documentMaxBytes: number;
  readonly samplingRules: () => readonly SamplingRule[];
  /** In the form of the setting, see `readRetentionRule`. */
  readonly retentionRules: readonly string[];
  readonly samplingTargets: SamplingTargets;
  readonly traceWaits: TraceWaits;
  readonly region: string;
  readonly accountId: string;
  /** To be called once the server listens: the system chooses port 0. */
  readonly receivers: () => ServerReceivers;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  /**
   * Whether responses of X-Ray's operations may have members that AWS's model does not define. Strict parsers, such as
   * the one in old X-Ray SDKs for Java, refuse a response with unknown members.
   */
  readonly hasExtensions: boolean;
  /** Called with the reason when the response lacks the data of an unreachable shard or of a damaged part. */
  readonly onIncomplete: (reason: string) => void;
};

/** One operation of the X-Ray API: all of them are `POST <path>` with JSON in and out. */
export type Operation<Input = unknown> = {
  readonly name: string;
  readonly path: string;
  readonly input: z.ZodType<Input>;
  /** The answer depends on documents: all that were acknowledged before the request are inserted first. */
  readonly readsDocuments?: boolean;
  /** Its requests are read only while the queue of the store has room. */
  readonly storesDocuments?: boolean;
  run(input: Input, context: ApiContext): Promise<object>;
};

export function operation<Schema extends z.ZodType>(
  definition: { readonly input: Schema; run(input: z.output<Schema>, context: ApiContext): Promise<object> } & Pick<
    Operation,
    'name' | 'path' | 'readsDocuments' | 'storesDocuments'
  >,
): Operation {
  return definition as Operation;
}

/** The body of a response as JSON with all digits of its numbers. */
export function responseText(body: unknown): string {
  return printJson(body);
}
