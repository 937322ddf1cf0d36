import { defineConfig } from 'vitest/config';

/** Generous: with 20 busy processes on two cores a test takes ten times as long. */
const PATIENT = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000, interval: 20 } },
};

export default defineConfig({
  test: {
    reporters: ['default', './scripts/plain-summary.ts'],
    // By default one core is left idle, which is half of a machine with two.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['server/src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts', 'examples/**/*.test.ts'],
          ...PATIENT,
        },
      },
      {
        test: { name: 'console', include: ['console/src/**/*.test.{ts,tsx}'], environment: 'jsdom', ...PATIENT },
      },
      {
        test: {
          name: 'process',
          include: ['test/**/*.test.ts'],
          ...PATIENT,
          env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
        },
      },
    ],
  },
});
