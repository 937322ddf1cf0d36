import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Functions against an emulator of AWS, whose packages come from PyPI and npm at the first run: a suite of its own. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/aws/*.aws.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
