import { expect, test } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import { A_START, aSegment, aSubsegment } from '../model/testing/builders.ts';
import type { GroupLookup } from './groups.ts';
import { matches } from './matches.ts';
import { parseFilter } from './parser.ts';
import {
  call,
  callee,
  causedBy,
  oneSegment,
  oneSegmentLasting,
  oneSegmentWithRequest,
  oneSegmentWithStatus,
  subjectOfDocuments,
  tableCall,
} from './testing/subjects.ts';

type Documents = readonly JsonObject[];
type Example = readonly [expression: string, matching: readonly Documents[], others: readonly Documents[]];

const orphan = [aSegment({ parent_id: 'aaaaaaaaaaaaaaaa' })];
const unfinished = [aSegment({ end_time: undefined, in_progress: true })];
const ec2 = (fields: JsonObject) => oneSegment({ aws: { ec2: fields } });
const annotated = (annotations: JsonObject) => oneSegment({ annotations });
const nested = (fields: JsonObject) => oneSegment({ subsegments: [aSubsegment(fields)] });

const ROOTS: readonly Example[] = [
  [
    'ok',
    [oneSegment(), oneSegmentWithStatus(302)],
    [oneSegmentWithStatus(404), oneSegmentWithStatus(429), oneSegmentWithStatus(500), orphan],
  ],
  ['!ok', [oneSegmentWithStatus(404), oneSegmentWithStatus(429), oneSegmentWithStatus(500)], [oneSegment()]],
  [
    'ok = false',
    [oneSegmentWithStatus(404), oneSegmentWithStatus(429), oneSegmentWithStatus(500)],
    [oneSegment(), orphan],
  ],
  [
    'error',
    [oneSegmentWithStatus(404), oneSegment({ error: true })],
    [oneSegment(), oneSegmentWithStatus(500), oneSegmentWithStatus(429)],
  ],
  ['fault = true', [oneSegmentWithStatus(500), oneSegment({ fault: true })], [oneSegment(), nested({ fault: true })]],
  ['fault = "true"', [oneSegmentWithStatus(500)], [oneSegment()]],
  ['throttle', [oneSegmentWithStatus(429)], [oneSegment(), oneSegmentWithStatus(404)]],
  [
    'fault OR throttle',
    [oneSegmentWithStatus(500), oneSegmentWithStatus(429)],
    [oneSegmentWithStatus(404), oneSegment()],
  ],
  ['error AND !throttle', [oneSegmentWithStatus(404)], [oneSegmentWithStatus(429), oneSegment()]],
  ['partial', [orphan], [oneSegment(), unfinished]],
  [
    'inferred',
    [oneSegment({ subsegments: [call()] })],
    [oneSegment(), [...oneSegment({ subsegments: [call()] }), callee()]],
  ],
  ['responsetime > 5', [oneSegmentLasting(5.5)], [oneSegmentLasting(5), unfinished]],
  [
    'responseTime >= 0.25 and responsetime < 0.5',
    [oneSegmentLasting(0.25), oneSegmentLasting(0.499)],
    [oneSegmentLasting(0.5), oneSegmentLasting(0.2)],
  ],
  [
    'duration >= 5 AND duration <= 8',
    [oneSegmentLasting(5), oneSegmentLasting(8)],
    [oneSegmentLasting(4.9), oneSegmentLasting(8.1), unfinished],
  ],
  [
    'ok !partial duration <3',
    [oneSegmentLasting(2)],
    [oneSegmentLasting(3), oneSegmentLasting(1, { fault: true }), orphan],
  ],
  ['http.status = 404', [oneSegmentWithStatus(404)], [oneSegmentWithStatus(200), oneSegment()]],
  ['http.status != 200', [oneSegmentWithStatus(404)], [oneSegmentWithStatus(200), oneSegment()]],
  [
    'http.status >= 500 http.status < 600',
    [oneSegmentWithStatus(503)],
    [oneSegmentWithStatus(404), oneSegmentWithStatus(600), oneSegment()],
  ],
  ['http.url', [oneSegmentWithRequest({ url: 'http://a/' })], [oneSegment(), oneSegmentWithRequest({ method: 'GET' })]],
  [
    '!http.url',
    [oneSegment(), oneSegmentWithRequest({ method: 'GET' })],
    [oneSegmentWithRequest({ url: 'http://a/' })],
  ],
  [
    'http.url CONTAINS "/api/game/"',
    [oneSegmentWithRequest({ url: 'http://a/api/game/1' })],
    [oneSegmentWithRequest({ url: 'http://a/API/GAME/' }), oneSegment()],
  ],
  [
    'http.url BEGINSWITH "https://shop.example/"',
    [oneSegmentWithRequest({ url: 'https://shop.example/cart' })],
    [oneSegmentWithRequest({ url: 'http://shop.example/' }), oneSegment()],
  ],
  [
    'http.url ENDSWITH "/health"',
    [oneSegmentWithRequest({ url: 'http://a/health' })],
    [oneSegmentWithRequest({ url: 'http://a/health?x' })],
  ],
  [
    'http.method = "POST"',
    [oneSegmentWithRequest({ method: 'POST' })],
    [oneSegmentWithRequest({ method: 'post' }), oneSegment()],
  ],
  [
    'http.useragent CONTAINS "Mobile"',
    [oneSegmentWithRequest({ user_agent: 'A Mobile B' })],
    [oneSegmentWithRequest({ user_agent: 'curl' })],
  ],
  [
    'http.clientip = "192.0.2.17"',
    [oneSegmentWithRequest({ client_ip: '192.0.2.17' })],
    [oneSegmentWithRequest({ client_ip: '192.0.2.1' })],
  ],
  [
    '(fault OR error) AND user = "bob"',
    [oneSegment({ fault: true, user: 'bob' })],
    [oneSegment({ fault: true }), oneSegment({ user: 'bob' })],
  ],
  [
    'fault OR error AND user = "bob"',
    [oneSegment({ fault: true }), oneSegment({ error: true, user: 'bob' })],
    [oneSegment({ error: true })],
  ],
  [
    '!(http.method = "GET")',
    [oneSegmentWithRequest({ method: 'POST' }), oneSegment()],
    [oneSegmentWithRequest({ method: 'GET' })],
  ],
  ['', [oneSegment(), orphan, unfinished], []],
];

const ANYWHERE: readonly Example[] = [
  [
    'user = "alice"',
    [oneSegment({ user: 'alice' }), [...oneSegment({ user: 'bob' }), callee({ user: 'alice' })]],
    [oneSegment({ user: 'bob' })],
  ],
  ['user CONTAINS ""', [oneSegment({ user: 'bob' })], [oneSegment()]],
  ['!user', [oneSegment()], [oneSegment({ user: 'bob' })]],
  [
    'availabilityzone = "us-west-2a"',
    [ec2({ availability_zone: 'us-west-2a' })],
    [ec2({ availability_zone: 'b' }), oneSegment()],
  ],
  ['instance.id = "i-0123456789abcdef0"', [ec2({ instance_id: 'i-0123456789abcdef0' })], [ec2({ instance_id: 'i-1' })]],
  [
    'resource.arn ENDSWITH ":function:checkout"',
    [oneSegment({ resource_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:checkout' })],
    [oneSegment({ resource_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:cart' }), oneSegment()],
  ],
  ['annotation.age', [annotated({ age: 3 }), annotated({ age: true })], [annotated({ age: false }), oneSegment()]],
  ['!annotation.age', [annotated({ age: false }), oneSegment()], [annotated({ age: 3 }), annotated({ age: true })]],
  [
    'annotation.age > 29',
    [annotated({ age: 30 }), nested({ annotations: { age: 30 } })],
    [annotated({ age: 29 }), annotated({ age: '30' })],
  ],
  [
    'annotation.gameid = "817DL6VO"',
    [annotated({ gameid: '817DL6VO' })],
    [annotated({ gameid: '817dl6vo' }), annotated({ GameID: '817DL6VO' })],
  ],
  [
    'annotation.beta = true',
    [annotated({ beta: true })],
    [annotated({ beta: false }), annotated({ beta: 'true' }), oneSegment()],
  ],
  [
    'annotation[request.id] = "917DL6VO"',
    [annotated({ 'request.id': '917DL6VO' })],
    [annotated({ request: '917DL6VO' })],
  ],
  [
    'annotation[aws.api_stage] = "prod"',
    [annotated({ 'aws.api_stage': 'prod' })],
    [annotated({ 'aws.api_stage': 'test' })],
  ],
  [
    'annotation.tenant BEGINSWITH "ac" AND annotation.attempt >= 2',
    [annotated({ tenant: 'acme', attempt: 2 })],
    [annotated({ tenant: 'acme', attempt: 1 }), annotated({ tenant: 'me', attempt: 2 })],
  ],
];

/** `shop` calls `backend`; the fields of the call, of `backend`'s segment, of `shop`'s. */
const calling = (onCall: JsonObject, onCallee: JsonObject = {}, onCaller: JsonObject = {}) => [
  aSegment({ ...onCaller, subsegments: [call(onCall)] }),
  callee(onCallee),
];
/** `shop` calls `name`, which sends no segment. */
const callingOut = (name: string, fields: JsonObject = {}) => oneSegment({ subsegments: [call({ name, ...fields })] });
const slow = { start_time: A_START + 0.1, end_time: A_START + 0.3 };
const lambda = (origin: string, fields: JsonObject = {}) => oneSegment({ name: 'fn', origin, ...fields });

const SERVICES: readonly Example[] = [
  [
    'service("api.example.com")',
    [callingOut('api.example.com'), oneSegment({ name: 'api.example.com' })],
    [oneSegment()],
  ],
  ['!service("api.example.com")', [oneSegment()], [callingOut('api.example.com')]],
  [
    'service("api.example.com") { fault }',
    [callingOut('api.example.com', { fault: true })],
    [callingOut('api.example.com'), oneSegment({ fault: true })],
  ],
  ['service() { fault }', [callingOut('b', { fault: true }), oneSegment({ fault: true })], [callingOut('b')]],
  ['service { throttle }', [callingOut('b', { throttle: true })], [callingOut('b')]],
  [
    'service(id(type: "AWS::DynamoDB::Table")) { responsetime > 0.1 }',
    [oneSegment({ subsegments: [tableCall('orders', slow)] })],
    [
      oneSegment({ subsegments: [tableCall('orders', { ...slow, end_time: A_START + 0.15 })] }),
      callingOut('orders', slow),
    ],
  ],
  [
    'service(id(name: "fn", type: "AWS::Lambda::Function")) { error }',
    [lambda('AWS::Lambda::Function', { error: true })],
    [lambda('AWS::Lambda', { error: true }), lambda('AWS::Lambda::Function')],
  ],
  [
    'service(id(name: "fn", type: "AWS::Lambda", account.id: "123456789012"))',
    [lambda('AWS::Lambda', { aws: { account_id: '123456789012' } })],
    [lambda('AWS::Lambda'), lambda('AWS::Lambda', { aws: { account_id: '1' } })],
  ],
  [
    'service("data-plane") { root = true and fault = true }',
    [oneSegment({ name: 'data-plane', fault: true })],
    [oneSegment({ name: 'data-plane' }), callingOut('data-plane', { fault: true })],
  ],
  [
    'service("a") { annotation[build.id] = "77" }',
    [oneSegment({ name: 'a', subsegments: [aSubsegment({ annotations: { 'build.id': '77' } })] })],
    [oneSegment({ annotations: { 'build.id': '77' } }), oneSegment({ name: 'a' })],
  ],
  [
    'service("a") { name ENDSWITH "-back" OR type = "remote" }',
    [callingOut('a')],
    [oneSegment({ name: 'a' }), callingOut('a-back')],
  ],
  ['service(id(type: "client")) { fault }', [oneSegment({ fault: true })], [callingOut('b', { fault: true })]],
  [
    'service("a") AND !service("b")',
    [oneSegment({ name: 'a' })],
    [oneSegment({ name: 'a', subsegments: [call({ name: 'b' })] }), oneSegment({ name: 'b' })],
  ],
  [
    'http.url BEGINSWITH "http://api.example.com/" AND http.url CONTAINS "/v2/" AND !service("api.example.com")',
    [oneSegmentWithRequest({ url: 'http://api.example.com/v2/x' })],
    [
      oneSegmentWithRequest({ url: 'http://api.example.com/v1/x' }),
      oneSegment({ name: 'api.example.com', http: { request: { url: 'http://api.example.com/v2/x' } } }),
    ],
  ],
  [
    'service(id(name: "X", type: "Y")) { ok = true }',
    [oneSegment({ name: 'X', origin: 'Y' })],
    [oneSegment({ name: 'X', origin: 'Y', error: true }), oneSegment({ name: 'X' })],
  ],
];

const EDGES: readonly Example[] = [
  [
    'edge("shop", "backend")',
    [calling({}), callingOut('backend')],
    [callingOut('other'), oneSegment({ name: 'backend' })],
  ],
  [
    'edge("shop", "backend") { error }',
    [calling({ error: true })],
    [calling({}), calling({}, { error: true }), calling({ fault: true })],
  ],
  [
    'edge(id(name: "shop", type: "client"), id(name: "shop")) { responsetime > 1 }',
    [oneSegmentLasting(1.5)],
    [oneSegmentLasting(1), oneSegmentLasting(1.5, { name: 'api' })],
  ],
  [
    'edge("shop", id(type: "AWS::SQS::Queue"))',
    [
      oneSegment({
        subsegments: [
          call({ name: 'SQS', namespace: 'aws', aws: { operation: 'SendMessage', queue_url: 'https://q/1' } }),
        ],
      }),
    ],
    [callingOut('SQS'), oneSegment()],
  ],
  [
    'edge { source.annotation[tenant] = "acme" }',
    [calling({}, {}, { annotations: { tenant: 'acme' } })],
    [calling({}, { annotations: { tenant: 'acme' } }), calling({})],
  ],
  [
    'edge { destination.annotation[shard] = 3 }',
    [calling({}, { annotations: { shard: 3 } })],
    [
      calling({ annotations: { shard: 4 } }, { annotations: { shard: 4 } }),
      calling({}, { annotations: { shard: '3' } }),
    ],
  ],
  ['!edge("shop", "backend") { fault }', [calling({}), oneSegment()], [calling({ fault: true })]],
  ['edge("shop", "backend") { fault = true }', [calling({ fault: true })], [calling({}), calling({}, { fault: true })]],
  [
    'annotation.owner = "p" AND (service("x") { fault } OR edge("shop","y") { throttle })',
    [
      oneSegment({ name: 'x', fault: true, annotations: { owner: 'p' } }),
      oneSegment({ annotations: { owner: 'p' }, subsegments: [call({ name: 'y', throttle: true })] }),
    ],
    [oneSegment({ name: 'x', fault: true }), oneSegment({ annotations: { owner: 'p' } })],
  ],
];

const groups: GroupLookup = (by, value) => {
  const wanted = by === 'name' ? 'slow' : 'arn:aws:xray:eu-west-1:123456789012:group/slow/ABC';
  return value === wanted ? { name: 'slow', filter: parseFilter('duration > 5') } : undefined;
};

const GROUPS: readonly Example[] = [
  [
    'group.name = "slow" AND fault',
    [oneSegmentLasting(6, { fault: true })],
    [oneSegmentLasting(6), oneSegment({ fault: true })],
  ],
  ['group.name != "slow"', [oneSegment()], [oneSegmentLasting(6)]],
  ['group.arn = "arn:aws:xray:eu-west-1:123456789012:group/slow/ABC"', [oneSegmentLasting(6)], [oneSegment()]],
];

/** A failure with a path through `Auth` to an exception deep inside it. */
const authFailure = [
  aSegment({ fault: true, subsegments: [call({ fault: true, name: 'Auth' })] }),
  callee({
    name: 'Auth',
    fault: true,
    subsegments: [
      aSubsegment({
        name: 'deserialize',
        fault: true,
        cause: causedBy(['TypeError', 'no input'], ['IOError', 'denied']),
      }),
    ],
  }),
];
const validationError = oneSegment({ error: true, cause: causedBy(['ValidationError', 'bad name']) });
const tableFailure = oneSegment({ fault: true, subsegments: [tableCall('orders', { fault: true })] });
/** Seven services that call one another in a row; the last one fails. */
const deepFailure = [1, 2, 3, 4, 5, 6, 7].map((index) =>
  aSegment({
    id: `${index}`.repeat(16),
    name: `s${index}`,
    fault: true,
    ...(index > 1 && { parent_id: `${index - 1}`.repeat(15).concat('c') }),
    subsegments: [
      aSubsegment({
        id: `${index}`.repeat(15).concat('c'),
        namespace: 'remote',
        name: `s${index + 1}`,
        fault: true,
        cause: causedBy(['E', 'm']),
      }),
    ],
  }),
);
const slowTable = oneSegmentLasting(1, {
  subsegments: [call({ name: 'DynamoDB', namespace: 'aws', start_time: A_START, end_time: A_START + 0.9 })],
});
const slowCall = oneSegmentLasting(1, {
  subsegments: [call({ name: 'traces', start_time: A_START, end_time: A_START + 0.9 })],
});
const slowQuery = oneSegmentLasting(1, {
  name: 'A',
  subsegments: [aSubsegment({ name: 'q', start_time: A_START, end_time: A_START + 0.9 })],
});

const ROOT_CAUSES: readonly Example[] = [
  [
    'rootcause.fault.service { name = "Auth" }',
    [authFailure],
    [tableFailure, validationError, oneSegment({ name: 'Auth' })],
  ],
  ['rootcause.fault.service { index > 5 }', [deepFailure], [authFailure, oneSegment()]],
  ['rootcause.fault.service { inferred and type = "AWS::DynamoDB::Table" }', [tableFailure], [authFailure, slowTable]],
  ['rootcause.fault.entity { last and name = "deserialize" }', [authFailure], [tableFailure]],
  ['rootcause.fault.exception { last and message = "denied" }', [authFailure], [tableFailure, validationError]],
  [
    'rootcause.error.exception { name CONTAINS "Validation" }',
    [validationError],
    [authFailure, oneSegment({ error: true })],
  ],
  ['rootcause.responsetime.service { last and type = "AWS::DynamoDB" }', [slowTable], [slowCall, oneSegment()]],
  [
    'rootcause.responsetime.entity { remote and coverage > 0.7 and name = "traces" }',
    [slowCall],
    [slowTable, slowQuery],
  ],
  ['rootcause.responsetime.entity { last and coverage > 0.8 }', [slowQuery], [oneSegment()]],
  [
    'rootcause.json = #[{"Services":[{"Name":"A","EntityPath":[{"Name":"A"},{"Name":"q"}]}]}]',
    [slowQuery],
    [slowCall, oneSegmentLasting(1, { name: 'A' })],
  ],
];

test.each([...ROOTS, ...ANYWHERE, ...SERVICES, ...EDGES, ...GROUPS, ...ROOT_CAUSES])(
  '%s',
  (expression, matching, others) => {
    const filter = parseFilter(expression);
    const finds = (documents: Documents) => matches(filter, subjectOfDocuments(documents), groups);
    expect(matching.map(finds)).toEqual(matching.map(() => true));
    expect(others.map(finds)).toEqual(others.map(() => false));
  },
);
