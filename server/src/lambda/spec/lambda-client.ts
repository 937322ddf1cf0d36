import type { EntityId, TraceId } from '../../model/trace-id.ts';
import type { FunctionSpec } from './function-spec.ts';
import type { GatewayRoute } from './routes.ts';
import type { CallAwsService, ScheduleSpec } from './services.ts';

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
  /** Receives a streamed response while the function writes it. Not called for a function that returns its response. */
  readonly onChunk?: OnChunk | undefined;
  /** The producers of the messages that the payload holds. */
  readonly links?: readonly ProducerLink[];
};

/** Receives the next bytes of a streamed response, with its content type. More is read when the promise resolves. */
export type OnChunk = (chunk: Buffer, contentType: string) => Promise<void>;

/** The producer of a message: its trace, and the entity in it that sent the message. */
export type ProducerLink = { readonly traceId: TraceId; readonly id: EntityId | undefined };

export type InvokeResult = {
  readonly requestId: string;
  /** 200, 202 for `Event`, 204 for `DryRun`: also when the function failed. */
  readonly statusCode: 200 | 202 | 204;
  readonly payload: Buffer;
  readonly functionError: 'Unhandled' | undefined;
  /** The lines from START to XRAY, bounded. Empty unless the status is 200. */
  readonly log: string;
  /** The last 4 KB of `log`. */
  readonly logTail: string;
  /** The header that the function received; the caller receives the same. */
  readonly traceHeader: string;
  readonly traceId: TraceId;
  /** Id of the function's segment; undefined when none was written. */
  readonly segmentId: EntityId | undefined;
  readonly isSampled: boolean;
  readonly executedVersion: '$LATEST';
};

/** Runs a function, or accepts an event for it. */
export type Invoke = (nameOrArn: string, request: InvokeRequest) => Promise<InvokeResult>;

export type FunctionDescription = { readonly spec: FunctionSpec; readonly arn: string };

/** The part of the service that Lambda's API needs. */
export type LambdaFunctions = Pick<LambdaService, 'list' | 'find' | 'invoke'>;

export type LambdaService = {
  readonly list: () => readonly FunctionDescription[];
  /** The template's queues, topics and event bus, as their clients call them. */
  readonly callAwsService: CallAwsService;
  /** Routes of the template's APIs and function URLs. */
  readonly routes: () => readonly GatewayRoute[];
  /** Whether the template has the function, with any qualifier. Throws InvalidRequestException for another text. */
  readonly has: (nameOrArn: string) => boolean;
  /** By logical id, name or ARN, with or without qualifier. Throws ResourceNotFoundException, also for a qualifier. */
  readonly find: (nameOrArn: string, qualifier?: string) => FunctionDescription;
  /** Absolute path of the template. */
  readonly templateFile: () => string;
  /** Schedules of the template, whether they run here or not. */
  readonly schedules: () => readonly ScheduleSpec[];
  /** A text that changes with the template and the function's sources; before its first run, with its code folder. */
  readonly fingerprint: (nameOrArn: string) => string;
  /**
   * A failure of the function is a result. Throws failures of the service: ResourceNotFoundException,
   * InvalidRequestException (the payload is not JSON), RequestTooLargeException, ThrottledException, SettingInvalid
   * (the function cannot be built, or cannot run here), ServiceUnavailable (the service is closed).
   */
  readonly invoke: Invoke;
  /** Resolves when no asynchronous event is left and no message is handled or ready to be received. */
  readonly whenIdle: () => Promise<void>;
  /** Ends all invocations and their processes. */
  readonly close: () => Promise<void>;
};
