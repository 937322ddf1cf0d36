#!/usr/bin/env -S node --max-semi-space-size=64
// Young objects have room to die young: under load a tenth of the time would go into copying documents that are done
// with by the next collection.
// CommonJS, because libuv reads the size of its thread pool when the first asynchronous file is read, and loading an
// ES module is such a read. Every call into the embedded engine holds one of these threads until it returns.
process.env.UV_THREADPOOL_SIZE ??= '16';
void import('../dist/cli/main.js')
  .then(({ main }) => main(process.argv.slice(2)))
  .then((exitCode) => process.exit(exitCode));
