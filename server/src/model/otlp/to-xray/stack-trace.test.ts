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

test.each([
  ['alone', 'System.Exception: no'],
  ['below an inner exception', 'System.Exception: no\n ---> A.Inner: a\n   --- End of inner exception stack trace ---'],
])('parameters of .NET without a file, %s, are no path', (_, title) => {
  const text = `${title}\n   at Shop.Cart.Add[T](String name, List\`1 items)\n   at lambda_method5(Closure, Object)`;
  expect(parseStackTrace(text, 'dotnet')[0]?.stack).toEqual([
    { label: 'Shop.Cart.Add[T](String name, List`1 items)' },
    { label: 'lambda_method5(Closure, Object)' },
  ]);
});

const DOTNET = `System.InvalidOperationException: order failed
 ---> System.IO.IOException: no data
 ---> System.Net.Sockets.SocketException (111): Connection refused
   at Net.Connect() in /src/Net.cs:line 3
   --- End of inner exception stack trace ---
   at Http.Get(String url) in /src/Http.cs:line 5
   at Http.Send()
   --- End of inner exception stack trace ---
   at Shop.Order() in /src/Shop.cs:line 9
--- End of stack trace from previous location ---
   at Shop.Main()`;

test.each(['dotnet', undefined])('.NET with inner exceptions as language %s: each has its own frames', (language) => {
  expect(parseStackTrace(DOTNET, language)).toEqual([
    {
      type: 'System.InvalidOperationException',
      message: 'order failed',
      stack: [{ label: 'Shop.Order()', path: '/src/Shop.cs', line: 9 }, { label: 'Shop.Main' }],
    },
    {
      type: 'System.IO.IOException',
      message: 'no data',
      stack: [{ label: 'Http.Get(String url)', path: '/src/Http.cs', line: 5 }, { label: 'Http.Send' }],
    },
    {
      type: 'System.Net.Sockets.SocketException',
      message: 'Connection refused',
      stack: [{ label: 'Net.Connect()', path: '/src/Net.cs', line: 3 }],
    },
  ]);
});

test('.NET Framework, with all titles in the first line', () => {
  const text = `A.Outer: no ---> B.Inner: a --> b
   at Deep()
   --- End of inner exception stack trace ---
   at Top()`;
  expect(parseStackTrace(text, 'dotnet')).toEqual([
    { type: 'A.Outer', message: 'no', stack: [{ label: 'Top' }] },
    { type: 'B.Inner', message: 'a --> b', stack: [{ label: 'Deep' }] },
  ]);
});

test('an aggregate of .NET has each inner exception once', () => {
  const text = `System.AggregateException: One or more errors occurred. (a) (b)
 ---> System.Exception: a
   at First()
   --- End of inner exception stack trace ---
   at All()
 ---> (Inner Exception #0) System.Exception: a
   at First()<---

 ---> (Inner Exception #1) System.ArgumentException: b
   at Second()<---
`;
  expect(parseStackTrace(text, 'dotnet')).toEqual([
    {
      type: 'System.AggregateException',
      message: 'One or more errors occurred. (a) (b)',
      stack: [{ label: 'All' }],
    },
    { type: 'System.Exception', message: 'a', stack: [{ label: 'First' }] },
    { type: 'System.ArgumentException', message: 'b', stack: [{ label: 'Second' }] },
  ]);
});

const RUBY = `/app/cart.rb:3:in \`load': no entry (x) (Shop::MissingError)
\tfrom /app/main.rb:10:in 'block in Object#run'
\tfrom /app/main.rb:12:in \`<main>'
/app/store.rb:7:in 'Store#get': refused (KeyError)
\tfrom /app/cart.rb:2:in \`load'
`;

test.each(['ruby', undefined])('Ruby with a cause as language %s', (language) => {
  expect(parseStackTrace(RUBY, language)).toEqual([
    {
      type: 'Shop::MissingError',
      message: 'no entry (x)',
      stack: [
        { path: '/app/cart.rb', line: 3, label: 'load' },
        { path: '/app/main.rb', line: 10, label: 'block in Object#run' },
        { path: '/app/main.rb', line: 12, label: '<main>' },
      ],
    },
    {
      type: 'KeyError',
      message: 'refused',
      stack: [
        { path: '/app/store.rb', line: 7, label: 'Store#get' },
        { path: '/app/cart.rb', line: 2, label: 'load' },
      ],
    },
  ]);
});

test('Ruby as a list of frames, and with a message of several lines', () => {
  expect(parseStackTrace("/a.rb:1:in 'x'\n/b.rb:2:in 'y'", 'ruby')).toMatchObject([
    { stack: [{ line: 1 }, { line: 2 }] },
  ]);
  expect(parseStackTrace("/a.rb:1:in 'x': first (KeyError)\nsecond\n\tfrom /b.rb:2:in 'y'", 'ruby')).toMatchObject([
    { type: 'KeyError', message: 'first', stack: [{ line: 1 }, { line: 2 }] },
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
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...NODE.split('\n'), ...JAVA.split('\n'), ...PYTHON.split('\n')),
    fc.constantFrom(...DOTNET.split('\n'), ...RUBY.split('\n')),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom('python', 'java', 'nodejs', 'go', 'dotnet', 'ruby', undefined),
      (lines, language) => {
        const found = parseStackTrace(lines.join('\n'), language);
        expect(found.length).toBeGreaterThan(0);
        expect(found.flatMap(({ stack }) => stack).length).toBeLessThanOrEqual(lines.join('\n').split(/\r?\n/).length);
      },
    ),
  );
});
