import type { Fleet, Service } from './fleet.ts';
import type { Random } from './random.ts';

/** A segment or subsegment before it has ids and times. */
export type Shape = {
  readonly kind: 'segment' | 'subsegment';
  readonly name: string;
  /** The service that runs it. */
  readonly service: Service;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Time without the children, which run one after the other. */
  readonly ownUs: number;
  /** Sent in a separate document, as SDKs do with subsegments of long-running segments. */
  readonly isIndependent: boolean;
  readonly children: readonly Shape[];
};

/** Every shape has this many segments and subsegments. */
export const SPANS_PER_TRACE = 10;

const REGION = 'eu-west-1';

/** One of four shapes: Lambda when the entry is a function, else one of the others at random. */
export function drawShape({ entries }: Fleet, random: Random): Shape {
  const entry = entries[random.skewed(entries.length)] as Service;
  if (entry.origin === 'AWS::Lambda') return lambda(entry, random);
  return random.pick([chain, handler, fanOut])(entry, random);
}

/** Three services in a row, the middle one with a database, a table and work of its own. */
function chain(entry: Service, random: Random): Shape {
  const middle = random.pick(entry.callees);
  const last = random.pick(middle.callees);
  return segment(entry, random, [
    call(entry, random, [
      segment(middle, random, [
        query(middle, random),
        awsCall(middle, random, 'DynamoDB'),
        work(middle, random, 'validate', []),
        call(middle, random, [segment(last, random, [awsCall(last, random, 'SQS'), query(last, random)])]),
      ]),
    ]),
  ]);
}

/** A handler that calls AWS, a third-party service and another service of the fleet. */
function handler(entry: Service, random: Random): Shape {
  const callee = random.pick(entry.callees);
  const calls = [
    awsCall(entry, random, 'DynamoDB'),
    awsCall(entry, random, 'SQS'),
    thirdParty(entry, random),
    call(entry, random, [
      segment(callee, random, [
        query(callee, random),
        awsCall(callee, random, 'DynamoDB'),
        awsCall(callee, random, 'S3'),
      ]),
    ]),
  ];
  return segment(entry, random, [work(entry, random, '## handler', calls)]);
}

/** Three services called one after the other. */
function fanOut(entry: Service, random: Random): Shape {
  const ask = (leaf: (service: Service) => Shape) => {
    const callee = random.pick(entry.callees);
    return call(entry, random, [segment(callee, random, [leaf(callee)])]);
  };
  return segment(entry, random, [
    ask((service) => query(service, random)),
    ask((service) => awsCall(service, random, 'DynamoDB')),
    ask((service) => work(service, random, 'render', [])),
  ]);
}

/** Lambda's two segments and the subsegments of an instrumented function; the handler is a separate document. */
function lambda(entry: Service, random: Random): Shape {
  const callee = random.pick(entry.callees);
  const arn = `arn:aws:lambda:${REGION}:000000000000:function:${entry.name}`;
  const inside = work(entry, random, '## index.handler', [
    awsCall(entry, random, 'DynamoDB'),
    awsCall(entry, random, 'S3'),
    call(entry, random, [segment(callee, random, [query(callee, random)])]),
  ]);
  const invocation = work(entry, random, 'Invocation', [{ ...inside, isIndependent: true }]);
  const environment: Shape = {
    ...work(entry, random, entry.name, [invocation, work(entry, random, 'Overhead', [])]),
    kind: 'segment',
    fields: { origin: 'AWS::Lambda::Function', aws: { account_id: '000000000000', function_arn: arn } },
  };
  return {
    ...work(entry, random, entry.name, [environment]),
    kind: 'segment',
    fields: { origin: 'AWS::Lambda', resource_arn: arn, http: { response: { status: 200 } } },
  };
}

function segment(service: Service, random: Random, children: readonly Shape[]): Shape {
  const http = {
    request: {
      method: random.share() < 0.7 ? 'GET' : 'POST',
      url: `https://${service.name}.internal${random.pick(service.routes)}`,
      user_agent: 'axios/1.7.2',
      client_ip: `10.0.${random.below(4)}.${random.below(64)}`,
    },
    response: { status: 200, content_length: 200 + random.below(800) },
  };
  const fields = { origin: service.origin, service: { version: service.version }, http };
  return { ...work(service, random, service.name, children), kind: 'segment', fields };
}

function work(service: Service, random: Random, name: string, children: readonly Shape[]): Shape {
  return { kind: 'subsegment', name, service, fields: {}, ownUs: ownUs(random), isIndependent: false, children };
}

/** A call to the service whose segment is the child. */
function call(service: Service, random: Random, children: readonly [Shape]): Shape {
  const host = `${children[0].service.name}.internal`;
  const http = { request: { method: 'GET', url: `https://${host}/`, traced: true }, response: { status: 200 } };
  return { ...work(service, random, host, children), fields: { namespace: 'remote', http } };
}

function thirdParty(service: Service, random: Random): Shape {
  const host = random.pick(['api.payments.example', 'maps.example', 'mail.example']);
  const http = { request: { method: 'POST', url: `https://${host}/v1` }, response: { status: 200 } };
  return { ...work(service, random, host, []), fields: { namespace: 'remote', http } };
}

function query(service: Service, random: Random): Shape {
  const sql = {
    url: `jdbc:postgresql://${service.database}:5432/main`,
    database_type: 'PostgreSQL',
    sanitized_query: `SELECT * FROM ${service.table} WHERE id = ?`,
  };
  return { ...work(service, random, service.database, []), fields: { namespace: 'remote', sql } };
}

function awsCall(service: Service, random: Random, name: 'DynamoDB' | 'SQS' | 'S3'): Shape {
  const resource = {
    DynamoDB: { operation: random.pick(['GetItem', 'PutItem', 'Query']), table_name: service.table },
    SQS: { operation: 'SendMessage', queue_url: service.queue },
    S3: { operation: 'GetObject', bucket_name: `${service.table}-files` },
  }[name];
  const aws = { ...resource, region: REGION, request_id: random.hex(16).toUpperCase() };
  return { ...work(service, random, name, []), fields: { namespace: 'aws', aws, http: { response: { status: 200 } } } };
}

/** Mostly around a millisecond, sometimes up to a hundred times as long. */
function ownUs(random: Random): number {
  return Math.round(300 * Math.exp(5 * random.share() ** 2));
}
