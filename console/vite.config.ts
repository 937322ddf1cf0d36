import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Paths that `npm run dev` forwards to a server on port 2000. */
const SERVER_PATHS = [
  '/ServiceGraph',
  '/TraceSummaries',
  '/TraceSummary',
  '/Traces',
  '/TraceGraph',
  '/TimeSeriesServiceStatistics',
  '/Groups',
  '/CreateGroup',
  '/UpdateGroup',
  '/DeleteGroup',
  '/GetFunctionLogs',
  '/ServerStatus',
  '/Span',
  '/events',
  '/health',
];

/**
 * Cloudscape's global styles contain eight fonts of Open Sans as data URLs, 139 kB gzip before the first paint.
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
    // Whole paths only, since `/traces` is a page and `/Traces` an operation.
    proxy: Object.fromEntries(SERVER_PATHS.map((path) => [`^${path}$`, 'http://127.0.0.1:2000'])),
  },
});
