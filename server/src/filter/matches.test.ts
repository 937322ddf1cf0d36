import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from '../model/assemble.ts';
import type { JsonObject } from '../model/json.ts';
import { summariseTrace } from '../model/summarise.ts';
import { arbitraryTrace, plainDelivery } from '../model/testing/arbitrary-trace.ts';
import { aSegment, aSubsegment, receivedTexts } from '../model/testing/builders.ts';
import type { Trace } from '../model/trace.ts';
import { traceGraph } from '../model/trace-graph.ts';
import { matches, orderOf } from './matches.ts';
import { parseFilter } from './parser.ts';
import { printFilter } from './print.ts';
import { arbitraryFilterOf } from './testing/arbitrary-filter.ts';
import { operandsIn } from './testing/operand-arbitraries.ts';
import {
  call,
  callee,
  oneSegment,
  oneSegmentLasting,
  oneSegmentWithRequest,
  subjectOfDocuments,
} from './testing/subjects.ts';

const isFound = (expression: string, documents: readonly JsonObject[]) =>
  matches(parseFilter(expression), subjectOfDocuments(documents));

const subjectAndFilters = arbitraryTrace()
  .map((generated) => {
    const trace = assembleTrace(receivedTexts(plainDelivery(generated))) as Trace;
    const graph = traceGraph(trace);
    return { trace, graph, summary: summariseTrace(trace, graph) };
  })
  .chain((subject) => {
    const filters = fc.array(arbitraryFilterOf(operandsIn([subject])), { minLength: 4, maxLength: 4 });
    return filters.map((list) => ({ subject, filters: list }));
  });

test('strings compare exactly: case matters, and there are no wildcards', () => {
  const documents = oneSegment({ user: 'Alice*' });
  expect(isFound('user = "Alice*"', documents)).toBe(true);
  expect(isFound('user = "alice*"', documents)).toBe(false);
  expect(isFound('user CONTAINS "A*"', documents)).toBe(false);
});

test('one matching value of several is enough, for != too', () => {
  const documents = [...oneSegment({ user: 'alice' }), callee({ user: 'bob' })];
  expect(isFound('user = "bob"', documents)).toBe(true);
  expect(isFound('user != "bob"', documents)).toBe(true);
  expect(isFound('!(user = "bob")', documents)).toBe(false);
});

test('a missing value makes every comparison false', () => {
  for (const expression of ['http.method = "GET"', 'http.method != "GET"', 'http.method CONTAINS ""']) {
    expect(isFound(expression, oneSegment())).toBe(false);
  }
  expect(isFound('!(http.method = "GET")', oneSegment())).toBe(true);
});

test('a value of another type does not match and is no error', () => {
  const documents = oneSegment({ annotations: { age: 29, name: '29', beta: true } });
  const expressions = [
    'age = "29"',
    'age != "30"',
    'name = 29',
    'name > 28',
    'age CONTAINS "2"',
    'beta = 1',
    'name != 30',
  ];
  expect(expressions.filter((expression) => isFound(`annotation.${expression}`, documents))).toEqual([]);
  expect(isFound('annotation.beta = "true"', documents)).toBe(true);
  expect(isFound('annotation.beta IN ("true")', documents)).toBe(true);
});

test('an unfinished trace has no times', () => {
  const documents = [aSegment({ end_time: undefined, in_progress: true }), callee()];
  for (const keyword of ['duration', 'responsetime']) {
    expect(isFound(`${keyword} >= 0`, documents)).toBe(false);
    expect(isFound(`!${keyword}`, documents)).toBe(true);
  }
  expect(isFound('service("backend") { responsetime = 0.5 }', documents)).toBe(true);
});

test('a trace without a root has neither an outcome nor a response time', () => {
  const documents = [callee({ fault: true })];
  expect(
    ['ok', 'fault', 'fault = false', 'responsetime', 'http.url'].filter((text) => isFound(text, documents)),
  ).toEqual([]);
  expect(isFound('service() { fault }', documents)).toBe(true);
});

test('an edge has the outcome that the caller saw, a service the outcome that it reported', () => {
  const documents = [aSegment({ subsegments: [call({ fault: true })] }), callee({ throttle: true })];
  expect(isFound('edge("shop", "backend") { fault !throttle }', documents)).toBe(true);
  expect(isFound('service("backend") { throttle !fault }', documents)).toBe(true);
  expect(isFound('service("backend") { fault }', documents)).toBe(false);
});

test('one request must satisfy all conditions in braces on outcome and time', () => {
  const documents = [
    aSegment({ subsegments: [call({ fault: true }), call({ id: '3333333333333333', end_time: 1_716_560_009 })] }),
  ];
  expect(isFound('service("backend") { fault } service("backend") { responsetime > 5 }', documents)).toBe(true);
  expect(isFound('service("backend") { fault responsetime > 5 }', documents)).toBe(false);
  expect(isFound('!service("backend") { fault responsetime > 5 }', documents)).toBe(true);
});

test('annotations, users and resources of a service come from all its segments', () => {
  const documents = oneSegment({
    fault: true,
    subsegments: [
      aSubsegment({ annotations: { step: 'pay' }, metadata: { app: { id: 7 } } }),
      call({ annotations: { step: 'send' } }),
    ],
  });
  expect(isFound('service("shop") { fault annotation.step = "pay" metadata.app.id = 7 }', documents)).toBe(true);
  expect(isFound('service("backend") { annotation.step = "pay" }', documents)).toBe(false);
  expect(isFound('edge("shop", "backend") { annotation.step = "send" }', documents)).toBe(true);
  expect(isFound('edge("shop", "backend") { source.annotation.step = "pay" }', documents)).toBe(true);
});

test('a selector without braces asks only whether the service or edge exists', () => {
  expect(isFound('service', oneSegment())).toBe(true);
  expect(isFound('edge', oneSegment())).toBe(true);
  expect(isFound('edge()', [callee()])).toBe(false);
});

const rich = oneSegment({
  annotations: { toString: 'y' },
  metadata: {
    default: {
      order: { id: 17, 'ship.to': 'Ulm', tags: ['new', 'big'], paid: false, missing: null },
      '[odd] "key"': 1,
    },
    empty: {},
  },
  aws: { xray: { sdk_version: '3.5.0' } },
  custom_field: [{ level: 1 }, { level: 2 }, [{ level: 3 }]],
  http: { request: { url: 'http://a/orders/17?x' } },
  user: 'u-1',
});

test.each([
  ['metadata.default.order.id = 17', true],
  ['metadata.default.order.id > 17', false],
  ['metadata.default.order["ship.to"] = "Ulm"', true],
  ['metadata[default][order].id = 17', true],
  ['metadata.default["[odd] \\"key\\""] = 1', true],
  ['metadata.default.order.tags = "big"', true],
  ['metadata.default.order.tags = "small"', false],
  ['metadata.default.order', true],
  ['metadata.empty', true],
  ['metadata.default.order = "x"', false],
  ['metadata.default.order.paid', false],
  ['metadata.default.order.paid = false', true],
  ['metadata.default.order.missing', false],
  ['metadata.default.order.toString', false],
  ['annotation.toString = "y"', true],
  ['annotation.valueOf', false],
  ['segment.aws.xray.sdk_version BEGINSWITH "3."', true],
  ['segment.custom_field.level = 2', true],
  ['segment.custom_field.level = 3', true],
  ['segment.custom_field.level > 3', false],
  ['segment.metadata.default.order.id = 17', true],
  ['service("shop") { segment.custom_field.level IN (3, "x") }', true],
  ['http.url MATCHES "/orders/\\\\d+\\\\?"', true],
  ['http.url MATCHES "^/orders"', false],
  ['metadata.default.order.tags MATCHES "^b.g$"', true],
  ['metadata.default.order.id MATCHES "17"', false],
  ['user IN ("u-0", "u-1")', true],
  ['user IN ("u-0")', false],
  ['responsetime IN (0.5)', true],
])('beyond X-Ray: %s is %s', (expression, expected) => {
  expect(isFound(expression, rich)).toBe(expected);
});

test('without groups no trace is in a group', () => {
  expect(isFound('group.name = "g"', oneSegment())).toBe(false);
  expect(isFound('group.name != "g"', oneSegment())).toBe(true);
});

test('lists are newest first unless the filter has an order', () => {
  const order = (text: string) => [orderOf(parseFilter(text)).by, orderOf(parseFilter(text)).direction];
  expect(order('fault')).toEqual(['start', 'descending']);
  expect(order('fault order by Duration')).toEqual(['duration', 'descending']);
  expect(order('ORDER BY responsetime ASC')).toEqual(['responsetime', 'ascending']);
  expect(isFound('responsetime < 1 ORDER BY duration', oneSegmentLasting(0.5))).toBe(true);
});

test('a literal of root causes matches a part of them, in order', () => {
  const documents = oneSegmentLasting(1, {
    name: 'A',
    subsegments: [call({ name: 'q', start_time: 1_716_560_000, end_time: 1_716_560_000.9 })],
  });
  const has = (services: string) => isFound(`rootcause.json = #[{"Services":${services}}]`, documents);
  expect(has('[]')).toBe(true);
  expect(has('[{"Name":"A"},{"Name":"q","Inferred":true}]')).toBe(true);
  expect(has('[{"Name":"q"},{"Name":"A"}]')).toBe(false);
  expect(has('[{"Names":["A"],"EntityPath":[{"Coverage":1}]}]')).toBe(true);
  expect(has('[{"Name":"A","Colour":"red"}]')).toBe(false);
  expect(isFound('rootcause.json != #[{"ClientImpacting":true}]', documents)).toBe(false);
  expect(isFound('rootcause.json != #[{"ClientImpacting":true}]', oneSegmentWithRequest({ url: 'http://a/' }))).toBe(
    true,
  );
});

test('any filter on any trace gives the result of its printed form and the opposite of its negation', () => {
  const answers = { true: 0, false: 0 };
  fc.assert(
    fc.property(subjectAndFilters, ({ subject, filters }) => {
      for (const filter of filters) {
        const answer = matches(filter, subject);
        answers[`${answer}`] += 1;
        expect(matches(parseFilter(printFilter(filter)), subject)).toBe(answer);
        const { condition } = filter;
        const negated = { ...filter, condition: { kind: 'not', operand: condition, range: condition.range } } as const;
        expect(matches(negated, subject)).toBe(!answer);
      }
    }),
    { numRuns: 300 },
  );
  expect(Math.min(answers.true, answers.false)).toBeGreaterThan(200);
});
