import type { Document, Entity } from '../../model/entity.ts';
import type { JsonObject } from '../../model/json.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';

/** A trace id made from a number. */
export const traceIdOf = (number: number): TraceId => number.toString(16).padStart(32, '0') as TraceId;
export const entityIdOf = (number: number): EntityId => number.toString(16).padStart(16, '0') as EntityId;

const EMPTY_ENTITY = {
  parentId: undefined,
  kind: 'segment',
  namespace: undefined,
  origin: undefined,
  user: undefined,
  resourceArn: undefined,
  accountId: undefined,
  outcome: 'ok',
  isFault: false,
  isError: false,
  isThrottle: false,
  http: undefined,
  cause: undefined,
  annotations: {},
  metadata: undefined,
  links: [],
  fields: {},
} as const;

/** A finished segment of 1 ms, with `given` and defaults for the rest. */
export function anEntity(given: Partial<Entity> & Pick<Entity, 'traceId' | 'id'>): Entity {
  const startUs = given.startUs ?? 1_790_000_000_000_000;
  return { ...EMPTY_ENTITY, name: 'checkout', startUs, endUs: startUs + 1000, ...given };
}

/** Document `number` of 1 KB: a segment that calls two others, with annotations, metadata and an HTTP request. */
export function aDocument(number: number, given: Partial<Pick<Document, 'seq' | 'id' | 'traceId'>> = {}): Document {
  const traceId = given.traceId ?? traceIdOf(number);
  const id = given.id ?? entityIdOf(number * 16);
  const seq = given.seq ?? 1_790_000_000_000_000 + number;
  const startUs = seq - 5000;
  const http = { method: 'POST', url: `https://shop.test/orders/${number}`, status: 200, userAgent: 'curl/8' };
  const fields: JsonObject = {
    name: 'checkout',
    http: { request: { method: http.method, url: http.url, user_agent: http.userAgent }, response: { status: 200 } },
    aws: { ec2: { instance_id: 'i-0123456789', availability_zone: 'eu-central-1a' } },
  };
  const metadata = { default: { cart: { items: number % 7, total: number * 1.25 }, note: `order ${number}` } };
  const annotations = { user_id: `u${number % 1000}`, items: number % 7, isGold: number % 3 === 0 };
  const child = (offset: number, name: string) =>
    anEntity({
      traceId,
      id: entityIdOf(number * 16 + offset),
      parentId: id,
      kind: 'subsegment',
      name,
      namespace: 'aws',
      startUs: startUs + offset,
      fields: { name, namespace: 'aws', aws: { operation: 'PutItem', table_name: 'orders', retries: 0 } },
    });
  const entities = [
    anEntity({ traceId, id, startUs, endUs: seq, http, annotations, metadata, fields, user: `u${number % 1000}` }),
    child(1, 'DynamoDB'),
    child(2, 'SQS'),
  ];
  const text = JSON.stringify({ id, annotations, metadata, ...fields, padding: 'x'.repeat(500) });
  return { format: 'xray', traceId, id, seq, text, entities };
}
