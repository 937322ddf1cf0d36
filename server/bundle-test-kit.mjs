// `openray/testing` as CommonJS beside the ES modules that tsc has built: jest runs tests as CommonJS by default, and
// cannot load ES modules from there before Node 24.
import { build } from 'esbuild';

await build({
  entryPoints: ['server/src/test-kit/index.ts', 'server/src/test-kit/jest.ts', 'server/src/test-kit/global-setup.ts'],
  outdir: 'server/dist/test-kit',
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  bundle: true,
  packages: 'external',
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});
