import type { EntityId, TraceId } from '../../model/trace-id.ts';
import type { FunctionSpec } from './function-spec.ts';
import type { GatewayRoute } from './routes.ts';
import type { ScheduleSpec } from './services.ts';

export type InvocationType = 'RequestResponse' | 'Event' | 'DryRun';

export type InvokeRequest = {
  /** JSON; empty counts as `{}`. */
  readonly payload: Buffer;
  /** The caller's trace, in the form of `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string | undefined;
  /** JSON text. */
  readonly clientContext?: string | undefined;
  readonly invocationType: InvocationType;
  readonly qualifier?: string | undefined;
  /** Takes a streamed answer as it comes, with its content type; what the function returned whole is not streamed. */
  readonly onChunk?: OnChunk | undefined;
  /** The producers of the messages that the payload holds. */
  readonly links?: readonly ProducerLink[];
};

/** Takes the next bytes of a streamed response, with its content type. The function's next bytes are read when it resolves. */
export type OnChunk = (chunk: Buffer, contentType: string) => Promise<void>;

/** Where a message came from that this invocation handles: a trace, and the entity that sent it. */
export type ProducerLink = { readonly traceId: TraceId; readonly id: EntityId | undefined };

export type InvokeResult = {
  readonly requestId: string;
  /** 200, 202 for `Event`, 204 for `DryRun`: also when the function failed. */
  readonly statusCode: 200 | 202 | 204;
  readonly payload: Buffer;
  readonly functionError: 'Unhandled' | undefined;
  /** START to XRAY with the function's lines between; bounded. Empty unless 200. */
  readonly log: string;
  /** The last 4 KB of it. */
  readonly logTail: string;
  /** What the function got, which is also what the caller is told. */
  readonly traceHeader: string;
  readonly traceId: TraceId;
  /** The function's segment; undefined when none was written. */
  readonly segmentId: EntityId | undefined;
  readonly isSampled: boolean;
  readonly executedVersion: '$LATEST';
};

/** Runs a function, or accepts an event for it. */
export type Invoke = (nameOrArn: string, request: InvokeRequest) => Promise<InvokeResult>;

export type FunctionDescription = { readonly spec: FunctionSpec; readonly arn: string };

export type LambdaService = {
  readonly list: () => readonly FunctionDescription[];
  /** What the template's APIs and function URLs route to them. */
  readonly routes: () => readonly GatewayRoute[];
  /** By logical id, name or ARN, with or without qualifier. Throws ResourceNotFoundException. */
  readonly find: (nameOrArn: string) => FunctionDescription;
  /** Of the template, whether they run here or not. */
  readonly schedules: () => readonly ScheduleSpec[];
  /** A text that changes with the template and the function's code, as far as it has been run. */
  readonly fingerprint: (nameOrArn: string) => string;
  /**
   * A failing function is a result; what throws is the service: ResourceNotFoundException, InvalidRequestException
   * (no JSON), RequestTooLargeException, ThrottledException, SettingInvalid (can't be built, or can't run here),
   * ServiceUnavailable (closed).
   */
  readonly invoke: Invoke;
  /** Resolves when no asynchronous invocation is under way. */
  readonly whenIdle: () => Promise<void>;
  /** Kills what runs. Nothing of it is left afterwards. */
  readonly close: () => Promise<void>;
};
