import { anyValueOf } from '../../server/src/model/otlp/any-value.ts';
import type { KeyValue } from '../../server/src/model/otlp-messages.ts';
import { encode } from '../../server/src/model/testing/otlp-protocol.ts';
import type { DatasetOptions } from './generate.ts';
import { type Random, seededRandom } from './random.ts';

/** 500 spans. */
const TRACES_A_REQUEST = 50;
const SCOPE = { name: 'go.opentelemetry.io/contrib/otelhttp', version: '0.63.0' };
const ROUTES = ['/orders', '/orders/{id}', '/users/{id}', '/search', '/checkout', '/health'];
/** OpenTelemetry's numbers of kinds. */
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
/** The parent is known, and is in another process. */
const [LOCAL_PARENT, REMOTE_PARENT] = [0x101, 0x301];

/**
 * Requests of an OpenTelemetry collector: whole traces of ten spans over three services, eleven attributes a span,
 * grouped by service. `generate.ts` makes documents of X-Ray, which become spans only later; these are spans at once.
 */
export function* otlpRequests(options: DatasetOptions): Generator<Buffer> {
  for (let first = 0; first < options.traceCount; first += TRACES_A_REQUEST) {
    const byService = new Map<number, object[]>();
    for (let index = first; index < Math.min(first + TRACES_A_REQUEST, options.traceCount); index++) {
      for (const [service, span] of spansOfTrace(options, index)) {
        byService.set(service, [...(byService.get(service) ?? []), span]);
      }
    }
    const resourceSpans = Array.from(byService, ([service, spans]) => ({
      resource: { attributes: resourceAttributes(service) },
      scopeSpans: [{ scope: SCOPE, spans }],
    }));
    yield encode('TracesData', { resourceSpans });
  }
}

type SpanShape = readonly [parent: number | undefined, service: number, kind: number, name: string];

function* spansOfTrace(options: DatasetOptions, index: number): Generator<readonly [service: number, span: object]> {
  const random = seededRandom(options.seed, index);
  const startUs = Math.floor(options.fromUs + ((options.toUs - options.fromUs) / options.traceCount) * index);
  const traceId = random.hex(32);
  const [a, b, c] = threeServices(options.serviceCount, random);
  const route = random.pick(ROUTES);
  const user = random.below(options.traceCount / 10 + 1);
  const hasFault = random.share() < 0.03;
  const common = {
    tenant: `tenant-${user % 50}`,
    'user.id': `u${user}`,
    tier: ['gold', 'silver', 'bronze'][user % 3] as string,
    'order.id': `o-${index}-${random.hex(4)}`,
  };
  const shapes: readonly SpanShape[] = [
    [undefined, a, SERVER, `GET ${route}`],
    [0, a, INTERNAL, 'validate'],
    [0, a, CLIENT, 'GET'],
    [2, b, SERVER, `GET /internal${route}`],
    [3, b, CLIENT, 'SELECT orders'],
    [3, b, CLIENT, 'POST'],
    [5, c, SERVER, 'POST /work'],
    [6, c, CLIENT, 'GET cache'],
    [6, c, CLIENT, 'INSERT work'],
    [0, a, INTERNAL, 'render'],
  ];
  const ids = shapes.map(() => random.hex(16));
  for (const [position, [parent, service, kind, name]] of shapes.entries()) {
    const isFault = hasFault && [0, 2, 3].includes(position);
    const callee = { 2: b, 5: c }[position];
    const durationUs = 300 * Math.exp(4 * random.share() ** 2) * (11 - position);
    const spanStartUs = startUs + position * 200;
    const attributes = {
      ...common,
      attempt: random.share() < 0.05 ? 2 : 1,
      'thread.id': random.below(64),
      'queue.wait_us': random.below(5000),
      ...attributesOfKind(kind, { service, callee, name, route, isFault, user, random }),
    };
    yield [
      service,
      {
        traceId,
        spanId: ids[position],
        ...(parent === undefined ? {} : { parentSpanId: ids[parent] }),
        name,
        kind,
        startTimeUnixNano: nanos(spanStartUs),
        endTimeUnixNano: nanos(spanStartUs + durationUs),
        attributes: keyValues(attributes),
        ...(isFault ? { status: { message: 'boom', code: 2 } } : {}),
        flags: kind === SERVER && parent !== undefined ? REMOTE_PARENT : LOCAL_PARENT,
      },
    ];
  }
}

function threeServices(count: number, random: Random): readonly [number, number, number] {
  const a = random.below(count);
  const b = (a + 1 + random.below(count - 1)) % count;
  let c = random.below(count);
  while (c === a || c === b) c = (c + 1) % count;
  return [a, b, c];
}

type SpanFacts = {
  readonly service: number;
  readonly callee: number | undefined;
  readonly name: string;
  readonly route: string;
  readonly isFault: boolean;
  readonly user: number;
  readonly random: Random;
};

/** Four attributes. */
function attributesOfKind(kind: number, { service, callee, name, route, isFault, user, random }: SpanFacts) {
  const status = isFault ? 500 : 200;
  if (kind === SERVER) {
    return {
      'http.request.method': 'GET',
      'url.path': route,
      'http.response.status_code': status,
      'server.address': `${serviceName(service)}.internal`,
    };
  }
  if (kind === INTERNAL) {
    return {
      'code.function.name': name,
      'feature.flag': 'on',
      items: random.below(40),
      'k8s.pod.name': `${serviceName(service)}-7d9f-${(user + service) % 4}`,
    };
  }
  if (callee === undefined) {
    return {
      'db.system.name': 'postgresql',
      'db.query.text': `${name} WHERE id = ?`,
      'server.address': `db-${serviceName(service)}`,
      'server.port': 5432,
    };
  }
  return {
    'http.request.method': 'GET',
    'url.full': `http://${serviceName(callee)}.internal/x`,
    'http.response.status_code': status,
    'server.address': `${serviceName(callee)}.internal`,
  };
}

function resourceAttributes(service: number): readonly KeyValue[] {
  return keyValues({
    'service.name': serviceName(service),
    'service.version': `1.4.${service}`,
    'deployment.environment.name': 'production',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.language': 'go',
    'telemetry.sdk.version': '1.38.0',
    'host.name': `ip-10-0-${service % 4}-${service}`,
  });
}

const serviceName = (service: number): string => `service-${String(service).padStart(2, '0')}`;

const nanos = (us: number): string => `${BigInt(Math.floor(us)) * 1000n + BigInt(Math.floor((us % 1) * 1000))}`;

function keyValues(values: Readonly<Record<string, string | number>>): readonly KeyValue[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValueOf(value) }));
}
