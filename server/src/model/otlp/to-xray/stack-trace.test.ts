import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStackTrace } from './stack-trace.ts';

const NODE = `TypeError: Cannot read properties of undefined (reading 'id')
    at Cart.total (file:///app/cart.mjs:10:5)
    at async handler (/var/task/index.js:42:17)
    at new Order (C:\\\\app\\\\order.js:7:3)
    at node:internal/process/task_queues:95:5
    at Object.<anonymous> (/app/a.js:1:2)
    at eval (eval at run (/app/b.js:3:4), <anonymous>:1:1)
    at Array.map (<anonymous>)
    at native
  [cause]: RangeError: too far
      at step (/app/c.js:8:9) {
    code: 'E'
  }`;

test('Node, with URLs, drives and frames without a location', () => {
  const [own, cause, ...more] = parseStackTrace(NODE, 'nodejs');
  expect(more).toEqual([]);
  expect(own?.type).toBe('TypeError');
  expect(own?.stack).toEqual([
    { label: 'Cart.total', path: 'file:///app/cart.mjs', line: 10 },
    { label: 'async handler', path: '/var/task/index.js', line: 42 },
    { label: 'new Order', path: 'C:\\\\app\\\\order.js', line: 7 },
    { path: 'node:internal/process/task_queues', line: 95 },
    { label: 'Object.<anonymous>', path: '/app/a.js', line: 1 },
    { label: 'eval', path: 'eval at run (/app/b.js:3:4), <anonymous>', line: 1 },
    { label: 'Array.map', path: '<anonymous>' },
    { path: 'native' },
  ]);
  expect(cause).toMatchObject({
    type: 'RangeError',
    message: 'too far',
    stack: [{ label: 'step', path: '/app/c.js', line: 8 }],
  });
});

const JAVA = `java.lang.IllegalStateException: no stock
\tat com.example.Stock.reserve(Stock.java:42)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.io.IOException: refused
\tat com.example.Http.get(Http.java:7)
\t... 23 more`;

test('Java, with the cause', () => {
  expect(parseStackTrace(JAVA, 'java')).toEqual([
    {
      type: 'java.lang.IllegalStateException',
      message: 'no stock',
      stack: [
        { label: 'com.example.Stock.reserve', path: 'Stock.java', line: 42 },
        { label: 'java.base/java.lang.Thread.run', path: 'Thread.java', line: 833 },
      ],
    },
    {
      type: 'java.io.IOException',
      message: 'refused',
      stack: [{ label: 'com.example.Http.get', path: 'Http.java', line: 7 }],
    },
  ]);
});

const PYTHON = `Traceback (most recent call last):
  File "/app/first, second.py", line 3, in load
    raise KeyError('a')
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 10, in <module>
    load()
  File "/app/main.py", line 5, in run
    raise app.errors.Lost("no entry") from e
app.errors.Lost: no entry
`;

test.each(['python', undefined])(
  'Python as language %s: from the raising function outwards, the last exception first',
  (language) => {
    expect(parseStackTrace(PYTHON, language)).toEqual([
      {
        type: 'app.errors.Lost',
        message: 'no entry',
        stack: [
          { path: '/app/main.py', line: 5, label: 'run' },
          { path: '/app/main.py', line: 10, label: '<module>' },
        ],
      },
      { type: 'KeyError', message: "'a'", stack: [{ path: '/app/first, second.py', line: 3, label: 'load' }] },
    ]);
  },
);

test('.NET', () => {
  const text = 'System.Exception: no\n   at Shop.Cart.Total(Int32 id) in /src/Cart.cs:line 12\n   at Shop.Main()';
  expect(parseStackTrace(text, 'dotnet')[0]?.stack).toEqual([
    { label: 'Shop.Cart.Total(Int32 id)', path: '/src/Cart.cs', line: 12 },
    { label: 'Shop.Main' },
  ]);
});

test.each(['go', undefined])('Go as language %s', (language) => {
  const text = 'goroutine 1 [running]:\nmain.work(0x1)\n\t/src/main.go:9 +0x1d\nmain.main()\n\t/src/main.go:4';
  expect(parseStackTrace(text, language)[0]?.stack).toEqual([
    { label: 'main.work(0x1)', path: '/src/main.go', line: 9 },
    { label: 'main.main()', path: '/src/main.go', line: 4 },
  ]);
});

test('any text gives at least one exception, and at most one frame per line', () => {
  const line = fc.oneof(fc.string(), fc.constantFrom(...NODE.split('\n'), ...JAVA.split('\n'), ...PYTHON.split('\n')));
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom('python', 'java', 'nodejs', 'go', undefined),
      (lines, language) => {
        const found = parseStackTrace(lines.join('\n'), language);
        expect(found.length).toBeGreaterThan(0);
        expect(found.flatMap(({ stack }) => stack).length).toBeLessThanOrEqual(lines.join('\n').split(/\r?\n/).length);
      },
    ),
  );
});
