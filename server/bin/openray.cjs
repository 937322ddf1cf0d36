#!/usr/bin/env -S node --max-semi-space-size=16 --heap-growing-percent=100
// The young generation takes three times the semi-space, whose size otherwise depends on the version of Node. The old
// one is collected when it has doubled; on a large machine V8 would wait until it is four times as large.

// From Node 22.1 on. The second start does not compile the bundle again.
require('node:module').enableCompileCache?.();
void import('../dist/bundle/openray.js')
  .then(({ main }) => main(process.argv.slice(2)))
  .then((exitCode) => process.exit(exitCode));
