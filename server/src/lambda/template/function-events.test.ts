import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { allWarnings, parseTemplate, type Template } from './template.ts';

const QUEUE_ARN = 'arn:aws:sqs:eu-west-1:000000000000:Jobs';
const TOPIC_ARN = 'arn:aws:sns:eu-west-1:000000000000:News';

/** One event of each type that openray reads, with each member that it reads. */
const EVENTS: Readonly<Record<string, JsonObject>> = {
  Rest: {
    Type: 'Api',
    Properties: {
      Path: '/rest/{id}',
      Method: 'get',
      RestApiId: { Ref: 'Shop' },
      Auth: { Authorizer: 'NONE' },
      ResponseTransferMode: 'BUFFERED',
      TimeoutInMillis: 5000,
    },
  },
  Http: {
    Type: 'HttpApi',
    Properties: {
      Path: '/http',
      Method: 'POST',
      ApiId: { Ref: 'Web' },
      Auth: { Authorizer: 'NONE' },
      PayloadFormatVersion: '2.0',
      TimeoutInMillis: 5000,
    },
  },
  Queue: {
    Type: 'SQS',
    Properties: {
      Queue: QUEUE_ARN,
      BatchSize: 3,
      MaximumBatchingWindowInSeconds: 2,
      Enabled: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      FilterCriteria: { Filters: [{ Pattern: '{"body":["a"]}' }] },
      ScalingConfig: { MaximumConcurrency: 4 },
    },
  },
  Topic: {
    Type: 'SNS',
    Properties: {
      Topic: TOPIC_ARN,
      FilterPolicy: { kind: ['a'] },
      FilterPolicyScope: 'MessageBody',
      SqsSubscription: true,
    },
  },
  Bus: {
    Type: 'EventBridgeRule',
    Properties: {
      Pattern: { source: ['shop'] },
      EventBusName: 'orders',
      Input: '{}',
      InputPath: '$.detail',
      State: 'ENABLED',
    },
  },
  OldBus: { Type: 'CloudWatchEvent', Properties: { Pattern: { source: ['shop'] }, Enabled: true } },
  Nightly: { Type: 'Schedule', Properties: { Schedule: 'rate(1 day)', Input: '{}', Enabled: true, Name: 'nightly' } },
  Weekly: {
    Type: 'ScheduleV2',
    Properties: {
      ScheduleExpression: 'cron(0 3 ? * MON *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      Input: '{}',
      State: 'ENABLED',
      Name: 'weekly',
    },
  },
};

const RESOURCES: JsonObject = {
  Shop: { Type: 'AWS::Serverless::Api', Properties: { StageName: 'live' } },
  Web: { Type: 'AWS::Serverless::HttpApi', Properties: {} },
  Jobs: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 60 } },
  News: {
    Type: 'AWS::SNS::Topic',
    Properties: { Subscription: [{ Endpoint: QUEUE_ARN, Protocol: 'sqs' }] },
  },
  Sub: {
    Type: 'AWS::SNS::Subscription',
    Properties: { TopicArn: TOPIC_ARN, Endpoint: QUEUE_ARN, Protocol: 'sqs', RawMessageDelivery: true },
  },
  Rule: {
    Type: 'AWS::Events::Rule',
    Properties: { EventPattern: { source: ['shop'] }, Targets: [{ Arn: QUEUE_ARN, Id: 'jobs' }] },
  },
  Timer: {
    Type: 'AWS::Events::Rule',
    Properties: { ScheduleExpression: 'rate(1 hour)', Targets: [{ Arn: QUEUE_ARN, Id: 'jobs' }] },
  },
  Mapping: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { FunctionName: { Ref: 'F' }, EventSourceArn: QUEUE_ARN, BatchSize: 2 },
  },
  Hourly: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: { ScheduleExpression: 'rate(1 hour)', Target: { Arn: QUEUE_ARN, RoleArn: 'arn' } },
  },
};

const functionOf = (events: JsonValue): JsonObject => ({
  Type: 'AWS::Serverless::Function',
  Properties: { Runtime: 'nodejs22.x', Handler: 'a.b', InlineCode: 'x', Events: events },
});

function read(resources: JsonObject): Template {
  return parseTemplate(JSON.stringify({ Resources: resources }), '/app/template.json', {
    parameters: {},
    region: 'eu-west-1',
    accountId: '000000000000',
  });
}

const withEvents = (events: JsonValue) => read({ ...RESOURCES, F: functionOf(events) });
/** Without the buses: a rule that names none has the default one. */
const sizesOf = ({ routes, services: { buses: _buses, ...others } }: Template) =>
  [routes, ...Object.values(others)].map((list) => list.length);

test('a valid template gives no warning, and each part does something', () => {
  const template = withEvents(EVENTS);
  expect(allWarnings(template)).toEqual([]);
  expect(sizesOf(template)).toEqual([2, 2, 1, 3, 3, 3, 4]);
});

describe('one warning names the function, the event and the member', () => {
  test.each<readonly [JsonValue, string]>([
    [{ Properties: { Path: '/a' } }, 'F.Events.E has no Type; it is left out.'],
    [{ Type: 42 }, 'F.Events.E has the Type 42; it is left out.'],
    ['Api', 'F.Events.E is "Api", not an object with a Type; it is left out.'],
    [
      { Type: 'Kinesis' },
      'F.Events.E has the Type "Kinesis", which openray does not support; the event never starts the function.',
    ],
    [
      { Type: 'constructor' },
      'F.Events.E has the Type "constructor", which openray does not support; the event never starts the function.',
    ],
    [{ Type: 'Api' }, 'F.Events.E has no Path; it is left out.'],
    [{ Type: 'Api', Properties: null }, 'F.Events.E.Properties is null, not an object; F.Events.E is left out.'],
    [{ Type: 'HttpApi', Properties: [] }, 'F.Events.E.Properties is [], not an object; F.Events.E is left out.'],
    [
      { Type: 'Api', Properties: { Path: ['/a'], Method: 'get' } },
      'F.Events.E.Path is ["/a"], not a path such as /users/{id}; F.Events.E is left out.',
    ],
    [
      { Type: 'Api', Properties: { Path: 'users', Method: 'get' } },
      'F.Events.E.Path is "users", not a path such as /users/{id}; F.Events.E is left out.',
    ],
    [
      { Type: 'Api', Properties: { Path: '/a', Method: 'FETCH' } },
      'F.Events.E.Method is "FETCH", not one of GET, PUT, POST, DELETE, PATCH, HEAD, OPTIONS, ANY; F.Events.E is left out.',
    ],
    [{ Type: 'HttpApi', Properties: { Path: '/a' } }, 'F.Events.E has a Path and no Method; it is left out.'],
    [{ Type: 'HttpApi', Properties: { Method: 'GET' } }, 'F.Events.E has a Method and no Path; it is left out.'],
    [
      { Type: 'Api', Properties: { Path: '/a', Method: 'get', RestApiId: { Ref: 'Web' } } },
      'F.Events.E.RestApiId is "Web", which is no AWS::Serverless::Api of this template; the implicit API has its route.',
    ],
    [{ Type: 'SQS', Properties: {} }, 'F.Events.E has no Queue; it is left out.'],
    [
      { Type: 'SQS', Properties: { Queue: QUEUE_ARN, BatchSize: 'many' } },
      'F.Events.E.BatchSize is "many", not a whole number from 1 to 10000; the default takes its place.',
    ],
    [{ Type: 'SNS', Properties: { FilterPolicy: {} } }, 'F.Events.E has no Topic; it is left out.'],
    [
      { Type: 'SNS', Properties: { Topic: 'arn:aws:sns:eu-west-1:000000000000:Other' } },
      'F.Events.E.Topic is "arn:aws:sns:eu-west-1:000000000000:Oth…, which is no topic of this template; its messages do not arrive here.',
    ],
    [{ Type: 'EventBridgeRule', Properties: {} }, 'F.Events.E has no Pattern; it is left out.'],
    [{ Type: 'Schedule', Properties: {} }, 'F.Events.E has no Schedule; it is left out.'],
    [
      { Type: 'Schedule', Properties: { Schedule: 'daily' } },
      'F.Events.E: "daily" is not a schedule; it does not run.',
    ],
    [{ Type: 'ScheduleV2', Properties: {} }, 'F.Events.E has no ScheduleExpression; it is left out.'],
  ])('%j', (event, warning) => {
    const { sourceWarnings, routes } = withEvents({ E: event, Good: EVENTS.Rest as JsonObject });
    expect(sourceWarnings).toEqual([warning]);
    expect(routes.map(({ path }) => path)).toContain('/rest/{id}');
  });

  test.each([[[]], [42], ['x'], [null]] as readonly (readonly [JsonValue])[])('Events is %j', (events) => {
    const { sourceWarnings, functions } = withEvents(events);
    expect(sourceWarnings).toEqual([
      `F.Events is ${JSON.stringify(events)}, not a map of events; the function has none.`,
    ]);
    expect(functions[0]?.unsupportedReason).toBeUndefined();
  });
});

test.each<readonly [JsonObject, string]>([
  [{ Api: { Type: 'AWS::Serverless::Api', Properties: { StageName: [] } } }, 'Api.StageName is [], not a text'],
  [
    { Api: { Type: 'AWS::Serverless::Api', Properties: { Cors: 42 } } },
    'Api.Cors is 42, not a text, an object or true',
  ],
  [
    { Api: { Type: 'AWS::Serverless::Api', Properties: { BinaryMediaTypes: 'x' } } },
    'Api.BinaryMediaTypes is "x", not a list',
  ],
  [
    { Api: { Type: 'AWS::Serverless::Api', Properties: { TracingEnabled: {} } } },
    'Api.TracingEnabled is {}, not true or false',
  ],
  [{ Api: { Type: 'AWS::Serverless::HttpApi', Properties: { Auth: 'x' } } }, 'Api.Auth is "x", not an object'],
  [
    { Api: { Type: 'AWS::Serverless::HttpApi', Properties: { CorsConfiguration: [] } } },
    'Api.CorsConfiguration is [], not a text',
  ],
  [
    { Jobs: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 'x' } } },
    'Jobs.VisibilityTimeout is "x", not a whole',
  ],
  [
    { Jobs: { Type: 'AWS::SQS::Queue', Properties: null } },
    'Jobs.Properties is null, not an object; it counts as empty.',
  ],
  [
    { G: { Type: 'AWS::Serverless::Function', Properties: { FunctionUrlConfig: 42 } } },
    'G.FunctionUrlConfig is 42, not an object; the function has no URL.',
  ],
  [
    { G: { Type: 'AWS::Serverless::Function', Properties: { FunctionUrlConfig: { InvokeMode: 'STREAM' } } } },
    'G.FunctionUrlConfig.InvokeMode is "STREAM", not one of BUFFERED, RESPONSE_STREAM',
  ],
  [{ Rule: { Type: 'AWS::Events::Rule', Properties: {} } }, 'Rule has no valid EventPattern and no ScheduleExpression'],
  [
    { Rule: { Type: 'AWS::Events::Rule', Properties: { EventPattern: {}, Targets: [{ Id: 'a' }] } } },
    'Rule.Targets[0] has no Arn; it is left out.',
  ],
  [{ Sub: { Type: 'AWS::SNS::Subscription', Properties: { Endpoint: 'x' } } }, 'Sub has no TopicArn; it is left out.'],
  [
    { Map: { Type: 'AWS::Lambda::EventSourceMapping', Properties: { FunctionName: 'No', EventSourceArn: QUEUE_ARN } } },
    'Map.FunctionName is "No", which is no function of this template; it polls nothing.',
  ],
  [
    {
      F: functionOf({}),
      Map: { Type: 'AWS::Lambda::EventSourceMapping', Properties: { FunctionName: 'F', EventSourceArn: 'orders' } },
    },
    'Map.EventSourceArn is "orders"; openray polls only SQS queues, so Map never starts the function F.',
  ],
  [{ At: { Type: 'AWS::Scheduler::Schedule', Properties: { ScheduleExpression: 'rate(1 day)' } } }, 'At has no Target'],
])('a malformed member of a resource is named: %j', (resources, warning) => {
  expect(allWarnings(read(resources)).join('\n')).toContain(warning);
});

test('a disabled rule waits for no event', () => {
  const disabled = { Type: 'EventBridgeRule', Properties: { Pattern: { source: ['a'] }, State: 'DISABLED' } };
  const { services, sourceWarnings } = read({ F: functionOf({ E: disabled }) });
  expect([services.rules, sourceWarnings]).toEqual([[], []]);
});

test('a pattern may be JSON as text', () => {
  const { services } = read({
    R: { Type: 'AWS::Events::Rule', Properties: { EventPattern: '{"source":["a"]}', Targets: [{ Arn: QUEUE_ARN }] } },
  });
  expect(services.rules).toMatchObject([{ pattern: { source: ['a'] }, targets: [{ arn: QUEUE_ARN }] }]);
});

type Path = readonly (string | number)[];

function pathsOf(value: JsonValue, path: Path = []): readonly Path[] {
  const entries = Array.isArray(value)
    ? (value as readonly JsonValue[]).map((item, index) => [index, item] as const)
    : isJsonObject(value)
      ? Object.entries(value)
      : [];
  return entries.flatMap(([key, item]) => [[...path, key], ...pathsOf(item, [...path, key])]);
}

const DROPPED: unique symbol = Symbol('dropped');
type Mutation = JsonValue | typeof DROPPED;

/** `value` without the member at `path`, or with another value in its place. */
function mutated(value: JsonValue, [key, ...rest]: Path, mutation: Mutation): JsonValue {
  if (key === undefined) return value;
  const entries = Object.entries(value as JsonObject).flatMap(([name, item]): [string, JsonValue][] => {
    if (name !== String(key)) return [[name, item]];
    if (rest.length > 0) return [[name, mutated(item, rest, mutation)]];
    return mutation === DROPPED ? [] : [[name, mutation]];
  });
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

describe('a mutation of a valid template', () => {
  const valid: JsonObject = { ...RESOURCES, F: functionOf(EVENTS) };
  const original = sizesOf(read(valid));
  // Without whole resources: a template without one is another valid template.
  const paths = pathsOf(valid).filter((path) => path.length > 2);
  const malformed: readonly JsonValue[] = [null, 42, 'x'];
  const mutations: readonly Mutation[] = [...malformed, [], {}, DROPPED];
  /** Without these, the template asks for less, and that is valid. */
  const isOptional = ([logicalId, , section, ...rest]: Path) =>
    (logicalId === 'F' && section === 'Events' && rest.length < 2) ||
    section === 'Subscription' ||
    rest.at(-1) === 'SqsSubscription';
  const cases = paths.flatMap((path) =>
    (isOptional(path) ? malformed : mutations).map(
      (mutation): { readonly path: Path; readonly mutation: Mutation } => ({
        path,
        mutation,
      }),
    ),
  );

  test('is read, and a warning names each part that it drops', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), ({ path, mutation }) => {
        const template = read(mutated(valid, path, mutation) as JsonObject);
        if (sizesOf(template).every((size, index) => size >= (original[index] ?? 0))) return;
        const [logicalId, , section, event] = path;
        const where = section === 'Events' && event !== undefined ? event : logicalId;
        expect(allWarnings(template).join('\n')).toContain(String(where));
      }),
      { numRuns: 2000 },
    );
  });
});

test('the buses are the default one, those of the template, and those that its rules name', () => {
  const { services } = parseTemplate(
    `
Resources:
  Shop: {Type: AWS::Events::EventBus, Properties: {Name: shop}}
  Unnamed: {Type: AWS::Events::EventBus, Properties: {}}
  R: {Type: AWS::Events::Rule, Properties: {State: DISABLED, EventBusName: 'arn:aws:events:eu-west-1:1:event-bus/shared', EventPattern: {source: [a]}, Targets: [{Arn: x, Id: y}]}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      Handler: a.b
      Events:
        Paid: {Type: EventBridgeRule, Properties: {EventBusName: !Ref Shop, Pattern: {source: [a]}}}
        Other: {Type: EventBridgeRule, Properties: {EventBusName: partner, Pattern: {source: [a]}}}`,
    '/project/template.yaml',
    { parameters: {}, region: 'eu-west-1', accountId: '000000000000' },
  );
  expect(services.buses).toEqual(['default', 'shop', 'Unnamed', 'partner', 'shared']);
});
