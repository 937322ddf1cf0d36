import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Java functions, whose compiler and packages come from a JDK, Maven and Maven Central: a suite of its own. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/java/*.java.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
