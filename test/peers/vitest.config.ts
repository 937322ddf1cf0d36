import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests with programs of other projects, which have to be built or installed first: a suite of its own. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/peers/*.peer.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
