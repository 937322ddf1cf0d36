import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Programs of others beside openray: built and started, so a suite of its own. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/peers/*.peer.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
