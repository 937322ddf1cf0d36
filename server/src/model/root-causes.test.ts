import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { JsonObject } from './json.ts';
import type { RootCause } from './root-cause.ts';
import { rootCauses } from './root-causes.ts';
import { arbitraryDeliveries } from './testing/arbitrary-trace.ts';
import { anId, aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import type { Trace } from './trace.ts';

const CALL = anId('ca11');
const CALLEE = anId('b');

function causesOf(...sent: readonly JsonObject[]) {
  return rootCauses(assembleTrace(received(...sent)) as Trace);
}

/** `shop[shop > work] -> host?[host] !`: a service and its entities, `?` inferred, `*` remote, `!` client impacting. */
function drawn({ services, isClientImpacting }: RootCause): string {
  const parts = services.map(({ name, isInferred, entityPath }) => {
    const entities = entityPath.map((entity) => {
      const exceptions = entity.exceptions.map((exception) => exception.name).join(',');
      return `${entity.name}${entity.isRemote ? '*' : ''}${exceptions && `(${exceptions})`}`;
    });
    return `${name}${isInferred ? '?' : ''}[${entities.join(' > ')}]`;
  });
  return `${parts.join(' -> ')}${isClientImpacting ? ' !' : ''}`;
}

const thrown = (type: string, fields: JsonObject = {}): JsonObject => ({
  fault: true,
  cause: { exceptions: [{ id: anId('e'), type, message: 'm', ...fields }] },
});
const failedCall = (fields: JsonObject = {}) =>
  aSubsegment({ id: CALL, name: 'host', namespace: 'remote', fault: true, ...fields });

describe('a fault', () => {
  test('that was thrown in a method is followed down to that method', () => {
    const work = aSubsegment({ name: 'reserve', ...thrown('StockError') });
    const handler = aSubsegment({
      id: anId('1'),
      name: 'handler',
      ...thrown('HandlerError', { id: anId('f') }),
      subsegments: [work],
    });
    expect(causesOf(aSegment({ fault: true, subsegments: [handler] })).fault.map(drawn)).toEqual([
      'shop[shop > handler(HandlerError) > reserve(StockError)] !',
    ]);
  });

  test('of a service that sent no segment ends there', () => {
    const call = failedCall(thrown('TimeoutError'));
    expect(causesOf(aSegment({ fault: true, subsegments: [call] })).fault.map(drawn)).toEqual([
      'shop[shop > host*(TimeoutError)] -> host?[host] !',
    ]);
  });

  test('of a service that reported is followed through the call into it', () => {
    const causes = causesOf(
      aSegment({ fault: true, subsegments: [failedCall()] }),
      aSegment({ id: CALLEE, name: 'stock', parent_id: CALL, ...thrown('StockError') }),
    );
    expect(causes.fault.map(drawn)).toEqual(['shop[shop > host*] -> stock[stock(StockError)] !']);
    expect(causes.error).toEqual([]);
  });

  test('that the caller handled is a root cause without client impact', () => {
    const stock = aSegment({ id: CALLEE, name: 'stock', parent_id: CALL, ...thrown('StockError') });
    for (const call of [failedCall(), failedCall({ fault: false })]) {
      expect(causesOf(aSegment({ subsegments: [call] }), stock).fault.map(drawn)).toEqual(['stock[stock(StockError)]']);
    }
  });

  test('of a call below a caller without a fault is the called service only', () => {
    expect(causesOf(aSegment({ subsegments: [failedCall(thrown('TimeoutError'))] })).fault.map(drawn)).toEqual([
      'host?[host]',
    ]);
  });

  test('without evidence has no root cause', () => {
    expect(causesOf(aSegment({ http: { response: { status: 500 } } })).fault).toEqual([]);
    expect(causesOf(aSegment({ subsegments: [aSubsegment(thrown('Handled'))] })).fault).toEqual([]);
  });

  test('prefers the failed call to the exception that it caused', () => {
    const subsegments = [aSubsegment({ name: 'earlier', start_time: 1, ...thrown('Earlier') }), failedCall()];
    expect(causesOf(aSegment({ fault: true, subsegments })).fault.map(drawn)).toEqual([
      'shop[shop > host*] -> host?[host] !',
    ]);
  });

  test('follows the first path with evidence, and no path without it', () => {
    const subsegments = [
      aSubsegment({ id: anId('1'), name: 'silent', start_time: 1, fault: true }),
      aSubsegment({ id: anId('2'), name: 'loud', ...thrown('Loud') }),
    ];
    expect(causesOf(aSegment({ fault: true, subsegments })).fault.map(drawn)).toEqual(['shop[shop > loud(Loud)] !']);
  });

  test('is followed to the exception that its cause names, even if another path comes first', () => {
    const subsegments = [
      aSubsegment({ id: anId('1'), name: 'first', start_time: 1, ...thrown('Other', { id: anId('f') }) }),
      aSubsegment({ id: anId('2'), name: 'second', ...thrown('Meant') }),
    ];
    const pointing = (cause: JsonObject[string]) =>
      causesOf(aSegment({ fault: true, cause, subsegments })).fault.map(drawn);
    expect(pointing(anId('e'))).toEqual(['shop[shop > second(Meant)] !']);
    expect(pointing(anId('d'))).toEqual([]);
    // The Node SDK names the subsegment that recorded the exception.
    expect(pointing({ id: anId('2'), exceptions: [] })).toEqual(['shop[shop > second(Meant)] !']);
  });

  test('with exceptions of its own ignores the exception that its cause names', () => {
    const cause = { id: anId('d'), exceptions: [{ type: 'Own', message: 'm' }] };
    expect(causesOf(aSegment({ fault: true, cause })).fault.map(drawn)).toEqual(['shop[shop(Own)] !']);
  });

  test('has an empty name for an exception without a type', () => {
    const [cause] = causesOf(aSegment({ fault: true, cause: { exceptions: [{ message: 'm' }] } })).fault;
    expect(cause?.services[0]?.entityPath[0]?.exceptions).toEqual([{ name: '', message: 'm' }]);
  });
});

test('errors are followed along errors, separately from faults', () => {
  const causes = causesOf(aSegment({ ...thrown('NotFound'), fault: false, error: true }));
  expect(causes.error.map(drawn)).toEqual(['shop[shop(NotFound)] !']);
  expect(causes.fault).toEqual([]);
});

describe('a response time', () => {
  const root = (...subsegments: JsonObject[]) => aSegment({ start_time: 0, end_time: 8, subsegments });
  const taking = (seconds: number, fields: JsonObject = {}) =>
    aSubsegment({ start_time: 0, end_time: seconds, ...fields });

  test.each([
    [2, []],
    [4, []],
    [6, ['shop[shop > work] !']],
    [8, ['shop[shop > work] !']],
    [9, []],
  ])('of a child that takes %d of 8 seconds', (seconds, expected) => {
    expect(causesOf(root(taking(seconds, { name: 'work' }))).responseTime.map(drawn)).toEqual(expected);
  });

  test('is followed down the longest child, into services', () => {
    const causes = causesOf(
      root(taking(5, { id: anId('1'), name: 'short' }), taking(7, { id: CALL, name: 'host', namespace: 'remote' })),
      aSegment({
        id: CALLEE,
        name: 'stock',
        parent_id: CALL,
        start_time: 0,
        end_time: 6,
        subsegments: [taking(5, { id: anId('2'), name: 'db', namespace: 'remote', sql: {} })],
      }),
    );
    expect(causes.responseTime.map(drawn)).toEqual(['shop[shop > host*] -> stock[stock > db*] -> db?[db] !']);
    expect(
      causes.responseTime[0]?.services.map(({ entityPath }) => entityPath.map(({ coverage }) => coverage)),
    ).toEqual([[1, 0.875], [0.75, 0.625], [0.625]]);
  });

  test('of an unfinished root has no root cause', () => {
    expect(
      causesOf(aSegment({ end_time: undefined, in_progress: true, subsegments: [taking(9)] })).responseTime,
    ).toEqual([]);
  });
});

test('root causes are the same for every way of sending a trace', () => {
  fc.assert(
    fc.property(arbitraryDeliveries(2), ({ deliveries }) => {
      const [one, other] = deliveries.map((delivery) => rootCauses(assembleTrace(receivedTexts(delivery)) as Trace));
      expect(one).toEqual(other);
    }),
  );
});
