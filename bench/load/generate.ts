import { type Fleet, makeFleet } from './fleet.ts';
import { type Random, seededRandom } from './random.ts';
import { drawShape, type Shape, SPANS_PER_TRACE } from './trace-shapes.ts';

export type DatasetOptions = {
  readonly seed: number;
  readonly traceCount: number;
  readonly serviceCount: number;
  /** The traces start evenly over this time, oldest first. */
  readonly fromUs: number;
  readonly toUs: number;
};

/** Traces are generated on demand: the same options give the same bytes in any process. */
export type Dataset = DatasetOptions & { readonly fleet: Fleet; readonly userCount: number };

/** Values of a trace that queries filter by. */
type TraceFacts = {
  readonly userId: string;
  readonly tenant: string;
  readonly tier: 'gold' | 'silver' | 'bronze';
  readonly orderId: string;
  /** Services whose segment has the fault flag. */
  readonly servicesWithFault: readonly string[];
};

export type GeneratedTrace = {
  /** In X-Ray's format, `1-…`. */
  readonly traceId: string;
  readonly startUs: number;
  /** Segment documents in the order of sending: the segment that ends first is first. */
  readonly documents: readonly string[];
  readonly facts: TraceFacts;
};

const FAULT_SHARE = 0.03;
const ERROR_SHARE = 0.04;
const TENANT_COUNT = 50;

export function makeDataset(options: DatasetOptions): Dataset {
  return {
    ...options,
    fleet: makeFleet(options.serviceCount, options.seed),
    // About ten traces a user, for every size.
    userCount: Math.max(1, Math.ceil(options.traceCount / 10)),
  };
}

export function spanCountOf(traceCount: number): number {
  return traceCount * SPANS_PER_TRACE;
}

/** The traces [first, last), oldest first. */
export function* generateTraces(dataset: Dataset, first = 0, last = dataset.traceCount): Generator<GeneratedTrace> {
  for (let index = first; index < last; index++) yield traceAt(dataset, index);
}

/** Trace `index` of the data set: ten segments and subsegments with eleven annotations and metadata each. */
export function traceAt(dataset: Dataset, index: number): GeneratedTrace {
  const random = seededRandom(dataset.seed, index);
  const stepUs = (dataset.toUs - dataset.fromUs) / dataset.traceCount;
  const startUs = Math.floor(dataset.fromUs + (index + random.share()) * stepUs);
  const traceId = `1-${hex8(Math.floor(startUs / 1e6))}-${random.hex(24)}`;
  const shape = drawShape(dataset.fleet, random);
  const user = random.below(dataset.userCount);
  const common = {
    userId: `u${user}`,
    tenant: `tenant-${user % TENANT_COUNT}`,
    tier: tierOf(user),
    orderId: `o-${index}-${random.hex(4)}`,
  };
  const failure = drawFailure(shape, random);
  const state: GenerationState = { traceId, random, failure, common, documents: [] };
  generateEntity(shape, { startUs, parentId: undefined, pod: '' }, state);
  const failed = [...failure.path].filter(({ kind }) => kind === 'segment').map(({ name }) => name);
  const servicesWithFault = failure.kind === 'fault' ? [...new Set(failed)] : [];
  return { traceId, startUs, documents: state.documents, facts: { ...common, servicesWithFault } };
}

function tierOf(user: number): TraceFacts['tier'] {
  const dice = user % 10;
  return dice < 2 ? 'gold' : dice < 5 ? 'silver' : 'bronze';
}

/** A fault starts in the last segment of `path` and propagates to the root; an error is in the root alone. */
type Failure = {
  readonly kind: 'none' | 'fault' | 'error';
  readonly path: ReadonlySet<Shape>;
  readonly origin: Shape | undefined;
  readonly exceptionId: string;
};

function drawFailure(root: Shape, random: Random): Failure {
  const dice = random.share();
  const exceptionId = random.hex(16);
  if (dice < FAULT_SHARE) {
    const path = pathToLastSegment(root);
    return { kind: 'fault', path: new Set(path), origin: path.at(-1), exceptionId };
  }
  const isError = dice < FAULT_SHARE + ERROR_SHARE;
  return { kind: isError ? 'error' : 'none', path: new Set(isError ? [root] : []), origin: undefined, exceptionId };
}

function pathToLastSegment(shape: Shape): readonly Shape[] {
  const deeper = shape.children.map(pathToLastSegment).findLast((path) => path.length > 0);
  if (deeper !== undefined) return [shape, ...deeper];
  return shape.kind === 'segment' ? [shape] : [];
}

type GenerationState = {
  readonly traceId: string;
  readonly random: Random;
  readonly failure: Failure;
  readonly common: Omit<TraceFacts, 'servicesWithFault'>;
  readonly documents: string[];
};

/** Start, parent and pod of an entity. Subsegments run in the pod of their segment. */
type EntityContext = { readonly startUs: number; readonly parentId: string | undefined; readonly pod: string };
type GeneratedEntity = { readonly endUs: number; readonly inline: object | undefined };

/** Generates ids and times of a shape and all shapes below it; adds the separate documents to `documents`. */
function generateEntity(shape: Shape, context: EntityContext, state: GenerationState): GeneratedEntity {
  const { random, traceId, documents } = state;
  const { startUs, parentId } = context;
  const id = random.hex(16);
  const pod = shape.kind === 'segment' ? random.pick(shape.service.pods) : context.pod;
  const pauseUs = Math.floor(shape.ownUs / (shape.children.length + 1));
  const inline: object[] = [];
  let nowUs = startUs + pauseUs;
  for (const child of shape.children) {
    const generated = generateEntity(child, { startUs: nowUs, parentId: id, pod }, state);
    if (generated.inline !== undefined) inline.push(generated.inline);
    nowUs = generated.endUs + pauseUs;
  }
  const entity = {
    id,
    name: shape.name,
    start_time: startUs / 1e6,
    end_time: nowUs / 1e6,
    ...(failedFields(shape, state.failure) ?? shape.fields),
    ...attributesOf(shape, pod, state),
    ...(inline.length > 0 && { subsegments: inline }),
  };
  if (shape.kind === 'subsegment' && !shape.isIndependent) return { endUs: nowUs, inline: entity };
  const envelope = {
    trace_id: traceId,
    ...(parentId !== undefined && { parent_id: parentId }),
    ...(shape.kind === 'subsegment' && { type: 'subsegment' }),
  };
  documents.push(JSON.stringify({ ...entity, ...envelope }));
  return { endUs: nowUs, inline: undefined };
}

/** Four annotations and seven values of metadata, about the request, the service and the current state. */
function attributesOf({ service }: Shape, pod: string, { random, common }: GenerationState): object {
  return {
    annotations: {
      tenant: common.tenant,
      user_id: common.userId,
      tier: common.tier,
      attempt: random.share() < 0.95 ? 1 : 2,
    },
    metadata: {
      default: {
        order_id: common.orderId,
        pod,
        version: service.version,
        region: 'eu-west-1',
        cache_hit: random.share() < 0.8,
        rows: random.skewed(200),
        queue_depth: random.skewed(30),
      },
    },
  };
}

function failedFields(shape: Shape, { kind, path, origin, exceptionId }: Failure): object | undefined {
  if (kind === 'none' || !path.has(shape)) return undefined;
  const { http } = shape.fields as { http?: { response?: object } };
  const status = kind === 'error' ? 404 : shape === origin ? 500 : 502;
  const failed = http === undefined ? {} : { http: { ...http, response: { ...http.response, status } } };
  if (kind === 'error') return { ...shape.fields, ...failed, error: true };
  const cause = shape === origin ? causeOf(exceptionId, shape.service.name) : exceptionId;
  return { ...shape.fields, ...failed, fault: true, cause };
}

function causeOf(exceptionId: string, service: string): object {
  const frame = (label: string, line: number) => ({ path: `/srv/${service}/dist/index.js`, line, label });
  const stack = [frame('readItems', 210), frame('handle', 48), frame('run', 1071), frame('main', 12)];
  const exception = { id: exceptionId, type: 'TimeoutError', message: `no answer within 3000 ms`, stack };
  return { working_directory: `/srv/${service}`, exceptions: [exception] };
}

const hex8 = (value: number) => value.toString(16).padStart(8, '0');
