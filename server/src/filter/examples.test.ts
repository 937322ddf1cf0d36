import { expect, test } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import { A_START, aSegment, aSubsegment } from '../model/testing/builders.ts';
import type { GroupLookup } from './groups.ts';
import { matches } from './matches.ts';
import { parseFilter } from './parser.ts';
import { answered, asked, call, callee, causedBy, lasting, only, subjectOf, tableCall } from './testing/subjects.ts';

type Documents = readonly JsonObject[];
type Example = readonly [expression: string, matching: readonly Documents[], others: readonly Documents[]];

const orphan = [aSegment({ parent_id: 'aaaaaaaaaaaaaaaa' })];
const unfinished = [aSegment({ end_time: undefined, in_progress: true })];
const ec2 = (fields: JsonObject) => only({ aws: { ec2: fields } });
const annotated = (annotations: JsonObject) => only({ annotations });
const nested = (fields: JsonObject) => only({ subsegments: [aSubsegment(fields)] });

const ROOTS: readonly Example[] = [
  ['ok', [only(), answered(302)], [answered(404), answered(429), answered(500), orphan]],
  ['!ok', [answered(404), answered(429), answered(500)], [only()]],
  ['ok = false', [answered(404), answered(429), answered(500)], [only(), orphan]],
  ['error', [answered(404), only({ error: true })], [only(), answered(500), answered(429)]],
  ['fault = true', [answered(500), only({ fault: true })], [only(), nested({ fault: true })]],
  ['fault = "true"', [answered(500)], [only()]],
  ['throttle', [answered(429)], [only(), answered(404)]],
  ['fault OR throttle', [answered(500), answered(429)], [answered(404), only()]],
  ['error AND !throttle', [answered(404)], [answered(429), only()]],
  ['partial', [orphan], [only(), unfinished]],
  ['inferred', [only({ subsegments: [call()] })], [only(), [...only({ subsegments: [call()] }), callee()]]],
  ['responsetime > 5', [lasting(5.5)], [lasting(5), unfinished]],
  ['responseTime >= 0.25 and responsetime < 0.5', [lasting(0.25), lasting(0.499)], [lasting(0.5), lasting(0.2)]],
  ['duration >= 5 AND duration <= 8', [lasting(5), lasting(8)], [lasting(4.9), lasting(8.1), unfinished]],
  ['ok !partial duration <3', [lasting(2)], [lasting(3), lasting(1, { fault: true }), orphan]],
  ['http.status = 404', [answered(404)], [answered(200), only()]],
  ['http.status != 200', [answered(404)], [answered(200), only()]],
  ['http.status >= 500 http.status < 600', [answered(503)], [answered(404), answered(600), only()]],
  ['http.url', [asked({ url: 'http://a/' })], [only(), asked({ method: 'GET' })]],
  ['!http.url', [only(), asked({ method: 'GET' })], [asked({ url: 'http://a/' })]],
  [
    'http.url CONTAINS "/api/game/"',
    [asked({ url: 'http://a/api/game/1' })],
    [asked({ url: 'http://a/API/GAME/' }), only()],
  ],
  [
    'http.url BEGINSWITH "https://shop.example/"',
    [asked({ url: 'https://shop.example/cart' })],
    [asked({ url: 'http://shop.example/' }), only()],
  ],
  ['http.url ENDSWITH "/health"', [asked({ url: 'http://a/health' })], [asked({ url: 'http://a/health?x' })]],
  ['http.method = "POST"', [asked({ method: 'POST' })], [asked({ method: 'post' }), only()]],
  ['http.useragent CONTAINS "Mobile"', [asked({ user_agent: 'A Mobile B' })], [asked({ user_agent: 'curl' })]],
  ['http.clientip = "192.0.2.17"', [asked({ client_ip: '192.0.2.17' })], [asked({ client_ip: '192.0.2.1' })]],
  [
    '(fault OR error) AND user = "bob"',
    [only({ fault: true, user: 'bob' })],
    [only({ fault: true }), only({ user: 'bob' })],
  ],
  [
    'fault OR error AND user = "bob"',
    [only({ fault: true }), only({ error: true, user: 'bob' })],
    [only({ error: true })],
  ],
  ['!(http.method = "GET")', [asked({ method: 'POST' }), only()], [asked({ method: 'GET' })]],
  ['', [only(), orphan, unfinished], []],
];

const ANYWHERE: readonly Example[] = [
  [
    'user = "alice"',
    [only({ user: 'alice' }), [...only({ user: 'bob' }), callee({ user: 'alice' })]],
    [only({ user: 'bob' })],
  ],
  ['user CONTAINS ""', [only({ user: 'bob' })], [only()]],
  ['!user', [only()], [only({ user: 'bob' })]],
  [
    'availabilityzone = "us-west-2a"',
    [ec2({ availability_zone: 'us-west-2a' })],
    [ec2({ availability_zone: 'b' }), only()],
  ],
  ['instance.id = "i-0123456789abcdef0"', [ec2({ instance_id: 'i-0123456789abcdef0' })], [ec2({ instance_id: 'i-1' })]],
  [
    'resource.arn ENDSWITH ":function:checkout"',
    [only({ resource_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:checkout' })],
    [only({ resource_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:cart' }), only()],
  ],
  ['annotation.age', [annotated({ age: 3 }), annotated({ age: true })], [annotated({ age: false }), only()]],
  ['!annotation.age', [annotated({ age: false }), only()], [annotated({ age: 3 }), annotated({ age: true })]],
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
    [annotated({ beta: false }), annotated({ beta: 'true' }), only()],
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
const callingOut = (name: string, fields: JsonObject = {}) => only({ subsegments: [call({ name, ...fields })] });
const slow = { start_time: A_START + 0.1, end_time: A_START + 0.3 };
const lambda = (origin: string, fields: JsonObject = {}) => only({ name: 'fn', origin, ...fields });

const SERVICES: readonly Example[] = [
  ['service("api.example.com")', [callingOut('api.example.com'), only({ name: 'api.example.com' })], [only()]],
  ['!service("api.example.com")', [only()], [callingOut('api.example.com')]],
  [
    'service("api.example.com") { fault }',
    [callingOut('api.example.com', { fault: true })],
    [callingOut('api.example.com'), only({ fault: true })],
  ],
  ['service() { fault }', [callingOut('b', { fault: true }), only({ fault: true })], [callingOut('b')]],
  ['service { throttle }', [callingOut('b', { throttle: true })], [callingOut('b')]],
  [
    'service(id(type: "AWS::DynamoDB::Table")) { responsetime > 0.1 }',
    [only({ subsegments: [tableCall('orders', slow)] })],
    [only({ subsegments: [tableCall('orders', { ...slow, end_time: A_START + 0.15 })] }), callingOut('orders', slow)],
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
    [only({ name: 'data-plane', fault: true })],
    [only({ name: 'data-plane' }), callingOut('data-plane', { fault: true })],
  ],
  [
    'service("a") { annotation[build.id] = "77" }',
    [only({ name: 'a', subsegments: [aSubsegment({ annotations: { 'build.id': '77' } })] })],
    [only({ annotations: { 'build.id': '77' } }), only({ name: 'a' })],
  ],
  [
    'service("a") { name ENDSWITH "-back" OR type = "remote" }',
    [callingOut('a')],
    [only({ name: 'a' }), callingOut('a-back')],
  ],
  ['service(id(type: "client")) { fault }', [only({ fault: true })], [callingOut('b', { fault: true })]],
  [
    'service("a") AND !service("b")',
    [only({ name: 'a' })],
    [only({ name: 'a', subsegments: [call({ name: 'b' })] }), only({ name: 'b' })],
  ],
  [
    'http.url BEGINSWITH "http://api.example.com/" AND http.url CONTAINS "/v2/" AND !service("api.example.com")',
    [asked({ url: 'http://api.example.com/v2/x' })],
    [
      asked({ url: 'http://api.example.com/v1/x' }),
      only({ name: 'api.example.com', http: { request: { url: 'http://api.example.com/v2/x' } } }),
    ],
  ],
  [
    'service(id(name: "X", type: "Y")) { ok = true }',
    [only({ name: 'X', origin: 'Y' })],
    [only({ name: 'X', origin: 'Y', error: true }), only({ name: 'X' })],
  ],
];

const EDGES: readonly Example[] = [
  ['edge("shop", "backend")', [calling({}), callingOut('backend')], [callingOut('other'), only({ name: 'backend' })]],
  [
    'edge("shop", "backend") { error }',
    [calling({ error: true })],
    [calling({}), calling({}, { error: true }), calling({ fault: true })],
  ],
  [
    'edge(id(name: "shop", type: "client"), id(name: "shop")) { responsetime > 1 }',
    [lasting(1.5)],
    [lasting(1), lasting(1.5, { name: 'api' })],
  ],
  [
    'edge("shop", id(type: "AWS::SQS::Queue"))',
    [
      only({
        subsegments: [
          call({ name: 'SQS', namespace: 'aws', aws: { operation: 'SendMessage', queue_url: 'https://q/1' } }),
        ],
      }),
    ],
    [callingOut('SQS'), only()],
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
  ['!edge("shop", "backend") { fault }', [calling({}), only()], [calling({ fault: true })]],
  ['edge("shop", "backend") { fault = true }', [calling({ fault: true })], [calling({}), calling({}, { fault: true })]],
  [
    'annotation.owner = "p" AND (service("x") { fault } OR edge("shop","y") { throttle })',
    [
      only({ name: 'x', fault: true, annotations: { owner: 'p' } }),
      only({ annotations: { owner: 'p' }, subsegments: [call({ name: 'y', throttle: true })] }),
    ],
    [only({ name: 'x', fault: true }), only({ annotations: { owner: 'p' } })],
  ],
];

const groups: GroupLookup = (by, value) => {
  const wanted = by === 'name' ? 'slow' : 'arn:aws:xray:eu-west-1:123456789012:group/slow/ABC';
  return value === wanted ? { name: 'slow', filter: parseFilter('duration > 5') } : undefined;
};

const GROUPS: readonly Example[] = [
  ['group.name = "slow" AND fault', [lasting(6, { fault: true })], [lasting(6), only({ fault: true })]],
  ['group.name != "slow"', [only()], [lasting(6)]],
  ['group.arn = "arn:aws:xray:eu-west-1:123456789012:group/slow/ABC"', [lasting(6)], [only()]],
];

/** A failure that goes through `Auth` to an exception deep inside it. */
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
const validationError = only({ error: true, cause: causedBy(['ValidationError', 'bad name']) });
const tableFailure = only({ fault: true, subsegments: [tableCall('orders', { fault: true })] });
/** Seven services that call one another, the last of which fails. */
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
const slowTable = lasting(1, {
  subsegments: [call({ name: 'DynamoDB', namespace: 'aws', start_time: A_START, end_time: A_START + 0.9 })],
});
const slowCall = lasting(1, { subsegments: [call({ name: 'traces', start_time: A_START, end_time: A_START + 0.9 })] });
const slowQuery = lasting(1, {
  name: 'A',
  subsegments: [aSubsegment({ name: 'q', start_time: A_START, end_time: A_START + 0.9 })],
});

const ROOT_CAUSES: readonly Example[] = [
  ['rootcause.fault.service { name = "Auth" }', [authFailure], [tableFailure, validationError, only({ name: 'Auth' })]],
  ['rootcause.fault.service { index > 5 }', [deepFailure], [authFailure, only()]],
  ['rootcause.fault.service { inferred and type = "AWS::DynamoDB::Table" }', [tableFailure], [authFailure, slowTable]],
  ['rootcause.fault.entity { last and name = "deserialize" }', [authFailure], [tableFailure]],
  ['rootcause.fault.exception { last and message = "denied" }', [authFailure], [tableFailure, validationError]],
  ['rootcause.error.exception { name CONTAINS "Validation" }', [validationError], [authFailure, only({ error: true })]],
  ['rootcause.responsetime.service { last and type = "AWS::DynamoDB" }', [slowTable], [slowCall, only()]],
  [
    'rootcause.responsetime.entity { remote and coverage > 0.7 and name = "traces" }',
    [slowCall],
    [slowTable, slowQuery],
  ],
  ['rootcause.responsetime.entity { last and coverage > 0.8 }', [slowQuery], [only()]],
  [
    'rootcause.json = #[{"Services":[{"Name":"A","EntityPath":[{"Name":"A"},{"Name":"q"}]}]}]',
    [slowQuery],
    [slowCall, lasting(1, { name: 'A' })],
  ],
];

test.each([...ROOTS, ...ANYWHERE, ...SERVICES, ...EDGES, ...GROUPS, ...ROOT_CAUSES])(
  '%s',
  (expression, matching, others) => {
    const filter = parseFilter(expression);
    const finds = (documents: Documents) => matches(filter, subjectOf(documents), groups);
    expect(matching.map(finds)).toEqual(matching.map(() => true));
    expect(others.map(finds)).toEqual(others.map(() => false));
  },
);
