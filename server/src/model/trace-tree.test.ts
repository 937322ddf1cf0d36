import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { A_START, anId, aSegment, aSubsegment, received } from './testing/builders.ts';
import type { Trace } from './trace.ts';
import { traceTree } from './trace-tree.ts';

const trace = assembleTrace(
  received(
    aSegment({ id: anId('1'), name: 'orders', origin: 'AWS::Lambda', http: { response: { status: 200 } } }),
    aSegment({
      id: anId('2'),
      parent_id: anId('1'),
      name: 'orders',
      origin: 'AWS::Lambda::Function',
      fault: true,
      cause: { exceptions: [{ id: anId('e'), type: 'TypeError', message: 'no user' }] },
      subsegments: [aSubsegment({ id: anId('3'), name: 'Invocation', annotations: { user: 'brian1', cold: true } })],
    }),
    aSubsegment({ id: anId('4'), parent_id: anId('3'), name: 'late', start_time: A_START + 0.3 }),
    aSubsegment({ id: anId('5'), parent_id: anId('3'), name: 'us.pycon.org', namespace: 'remote' }),
    aSubsegment({ id: anId('6'), parent_id: anId('9'), name: 'lost', end_time: undefined, in_progress: true }),
  ),
) as Trace;

test('a trace is printed as by sam traces, and entities without a parent are not indented', () => {
  expect(traceTree(trace)).toBe(
    [
      ' - 0.500s - orders [HTTP: 200]',
      '   - 0.500s - orders',
      '     - 0.300s - Invocation',
      '       - 0.300s - us.pycon.org',
      '       - 0.100s - late',
      ' - … - lost',
    ].join('\n'),
  );
});

test('a detailed line has the data that explain a failed test', () => {
  const [service, fn, invocation, remote, , lost] = traceTree(trace, { isDetailed: true }).split('\n');
  expect(service).toBe(' - 0.500s - orders [HTTP: 200] (AWS::Lambda)');
  expect(fn).toBe('   - 0.500s - orders (AWS::Lambda::Function, fault)  TypeError: no user');
  expect(invocation).toBe('     - 0.300s - Invocation  user="brian1"  cold=true');
  expect(remote).toContain('us.pycon.org (remote)');
  expect(lost).toBe(' - … - lost (in progress)');
});

test('10,000 nested subsegments are 10,001 lines with a limited indent', () => {
  const idOf = (level: number) => (level + 1).toString(16).padStart(16, '0');
  const chain = Array.from({ length: 10_000 }, (_, level) =>
    aSubsegment({ id: idOf(level + 1), parent_id: idOf(level) }),
  );
  const deep = assembleTrace(received(aSegment({ id: idOf(0) }), ...chain)) as Trace;
  const lines = traceTree(deep).split('\n');
  expect(lines).toHaveLength(10_001);
  expect(lines[10_000]).toBe(`${'  '.repeat(100)} - 0.300s - ## index.handler`);
});
