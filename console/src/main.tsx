import '@cloudscape-design/global-styles/index.css';
import './shared/console.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { router } from './routes.tsx';
import { ApiFailure } from './shared/api.ts';
import { startTheme } from './shared/theme.ts';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A retry of an invalid request (4xx) fails in the same way.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiFailure && error.status >= 400 && error.status < 500),
      retryDelay: 500,
      staleTime: 1000,
      refetchOnWindowFocus: false,
    },
  },
});

startTheme();

const app = document.getElementById('app');
if (!app) throw new Error('index.html has no element #app');
createRoot(app).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
