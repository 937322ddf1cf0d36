#!/usr/bin/env -S node --max-semi-space-size=64
// The semi-space is large because documents live for a short time: with the default size, garbage collection copies
// documents that the next collection frees, which costs a tenth of the CPU time under load.

// From Node 22.1 on. The second start does not compile the bundle again.
require('node:module').enableCompileCache?.();
void import('../dist/bundle/openray.js')
  .then(({ main }) => main(process.argv.slice(2)))
  .then((exitCode) => process.exit(exitCode));
