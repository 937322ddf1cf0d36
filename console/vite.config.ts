import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** What the server answers itself; `npm run dev` passes it on to one that runs on its usual port. */
const SERVER_PATHS = [
  '/ServiceGraph',
  '/TraceSummaries',
  '/Traces',
  '/TraceGraph',
  '/TimeSeriesServiceStatistics',
  '/events',
  '/health',
];

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022', sourcemap: false },
  server: {
    // `^…$`, since `/traces` is a page and `/Traces` an operation.
    proxy: Object.fromEntries(SERVER_PATHS.map((path) => [`^${path}$`, 'http://127.0.0.1:2000'])),
  },
});
