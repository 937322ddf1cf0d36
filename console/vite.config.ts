import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv, type Plugin } from 'vite';

/** Paths that the console of `npm run dev` forwards to the server. */
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

export default defineConfig(({ mode }) => {
  // `npm run dev` sets the variable. Without it the server is on its default port.
  const { DEV_SERVER_URL: server = 'http://127.0.0.1:2000' } = loadEnv(mode, import.meta.dirname, 'DEV_SERVER_');
  return {
    plugins: [usedFontsOnly, react()],
    build: { target: 'es2022', sourcemap: false },
    server: {
      // Whole paths only, since `/traces` is a page and `/Traces` an operation.
      proxy: Object.fromEntries(SERVER_PATHS.map((path) => [`^${path}$`, server])),
    },
  };
});
