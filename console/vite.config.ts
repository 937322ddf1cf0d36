import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** What the server answers itself; `npm run dev` passes it on to one that runs on its usual port. */
const SERVER_PATHS = [
  '/ServiceGraph',
  '/TraceSummaries',
  '/TraceSummary',
  '/Traces',
  '/TraceGraph',
  '/TimeSeriesServiceStatistics',
  '/GetFunctionLogs',
  '/ServerStatus',
  '/Span',
  '/events',
  '/health',
];

/**
 * Cloudscape's global styles carry eight cuts of Open Sans as data URLs, 139 kB gz before the first paint.
 * The console uses two of them.
 */
const usedFontsOnly: Plugin = {
  name: 'used-fonts-only',
  enforce: 'pre',
  transform(code, id) {
    if (!id.includes('global-styles/index.css')) return undefined;
    return code.replace(/@font-face \{[^}]*\}/g, (face) =>
      /font-weight: (400|700)/.test(face) && face.includes('font-style: normal') ? face : '',
    );
  },
};

export default defineConfig({
  plugins: [usedFontsOnly, react()],
  build: { target: 'es2022', sourcemap: false },
  server: {
    // `^…$`, since `/traces` is a page and `/Traces` an operation.
    proxy: Object.fromEntries(SERVER_PATHS.map((path) => [`^${path}$`, 'http://127.0.0.1:2000'])),
  },
});
