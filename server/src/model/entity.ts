import type { AnyNumber } from './exact-number.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { LogWithResource, SpanWithResource } from './otlp-messages.ts';
import type { EntityId, TraceId } from './trace-id.ts';

export type AnnotationValue = string | AnyNumber | boolean;

/** Outcome of a request: failed at the server (fault) or because of the client (error), throttled, or ok. */
export type Outcome = 'ok' | 'error' | 'throttle' | 'fault';

export type StackFrame = { readonly path?: string; readonly line?: number; readonly label?: string };

/** One recorded exception. `cause` is the id of the exception that led to this one. */
export type RecordedException = {
  readonly id?: string;
  readonly type?: string;
  readonly message?: string;
  readonly remote?: boolean;
  readonly truncated?: number;
  readonly skipped?: number;
  readonly cause?: string;
  readonly stack?: readonly StackFrame[];
};

/** `exceptions` of this entity, or `exceptionId` of an exception that another entity of the trace recorded. */
export type Cause = {
  readonly workingDirectory?: string;
  readonly paths?: readonly string[];
  readonly exceptions: readonly RecordedException[];
  readonly exceptionId?: string;
};

export type Http = {
  readonly method?: string;
  readonly url?: string;
  readonly userAgent?: string;
  readonly clientIp?: string;
  readonly status?: number;
};

/** A link from this entity to one of another trace, such as from a consumer to the producer of its message. */
export type Link = {
  readonly traceId: TraceId;
  readonly id: EntityId | undefined;
  readonly attributes: JsonObject;
};

/**
 * A segment or subsegment of any kind of document. Inline subsegments are entities of their own; their
 * `parentId` is the enclosing entity.
 * Times are whole microseconds since 1970; `endUs` is absent while the entity is in progress.
 */
export type Entity = {
  readonly traceId: TraceId;
  readonly id: EntityId;
  readonly parentId: EntityId | undefined;
  readonly kind: 'segment' | 'subsegment';
  readonly name: string;
  readonly startUs: number;
  readonly endUs: number | undefined;
  /** `aws`, `remote`, or anything else for work inside the process. */
  readonly namespace: string | undefined;
  /** The kind of AWS resource that ran the segment, such as `AWS::Lambda::Function`. */
  readonly origin: string | undefined;
  readonly user: string | undefined;
  readonly resourceArn: string | undefined;
  readonly accountId: string | undefined;
  /** From the flags, or from the HTTP status where no flag is set. Throttle, then fault, then error wins. */
  readonly outcome: Outcome;
  readonly isFault: boolean;
  /** 4xx that is not a throttle. */
  readonly isError: boolean;
  readonly isThrottle: boolean;
  readonly http: Http | undefined;
  readonly cause: Cause | undefined;
  readonly annotations: Readonly<Record<string, AnnotationValue>>;
  readonly metadata: JsonValue | undefined;
  readonly links: readonly Link[];
  /** The called service, for a call whose sender names it explicitly. */
  readonly callee?: { readonly name: string; readonly type: string };
  /** The entity as it was sent, unknown fields included, without `subsegments`. */
  readonly fields: JsonObject;
};

/**
 * One document as it was received. `seq` orders documents by arrival: microseconds since 1970, strictly increasing
 * on the server that received them. `text` is what is stored, with everything that was sent: compact JSON, or the bytes
 * of `otlp-protobuf` as one Latin-1 character each, since strings are compared and kept more cheaply than buffers.
 */
type ReceivedDocument = {
  readonly traceId: TraceId;
  readonly id: EntityId;
  readonly seq: number;
  readonly text: string;
  /** The top entity first, then its inline subsegments in document order. */
  readonly entities: readonly Entity[];
};

export type Document = ReceivedDocument &
  (
    | { readonly format: 'xray' }
    /** One span. `alternativeEntities` gives the entities that it may become once its parent is known. */
    | {
        readonly format: 'otlp';
        readonly storedAs: 'otlp-protobuf' | 'otlp';
        readonly span: SpanWithResource;
        readonly indexed: ReadonlySet<string>;
        readonly alternativeEntities: () => readonly Entity[];
      }
    /** A log record of an exception of the span `id`. It is a part of that span and has no entity of its own. */
    | { readonly format: 'otlp-log'; readonly log: LogWithResource }
  );

export type DocumentFormat = Document['format'];

/** Older servers stored spans as `otlp`, which is OTLP/JSON. */
export type StoredFormat = DocumentFormat | 'otlp-protobuf';

export function storedFormatOf(document: Document): StoredFormat {
  return document.format === 'otlp' ? document.storedAs : document.format;
}

/** Whether the entity calls another service. Inferred segments and most edges are made from such calls. */
export function isCall(entity: Entity): boolean {
  return entity.kind === 'subsegment' && (entity.namespace === 'aws' || entity.namespace === 'remote');
}

/** End - start, never negative; undefined while the entity is in progress. */
export function durationUsOf(entity: Entity): number | undefined {
  return entity.endUs === undefined ? undefined : Math.max(0, entity.endUs - entity.startUs);
}

/** By start, then id: an order that does not depend on arrival. */
export function byStart(a: Pick<Entity, 'startUs' | 'id'>, b: Pick<Entity, 'startUs' | 'id'>): number {
  if (a.startUs !== b.startUs) return a.startUs - b.startUs;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
