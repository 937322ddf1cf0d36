import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Ruby functions, with the runtime client from RubyGems: a suite of its own. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/ruby/*.ruby.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
