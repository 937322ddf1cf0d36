import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
  stripSearchParams,
} from '@tanstack/react-router';
import { z } from 'zod/mini';
import { NotFound } from './pages/not-found.tsx';
import { Frame } from './shared/frame.tsx';
import { filterParam, parseSearch, rootSearch, textParam } from './shared/search.ts';
import { DEFAULT_RANGE } from './shared/time-range.ts';

const root = createRootRoute({
  component: Frame,
  notFoundComponent: NotFound,
  validateSearch: rootSearch,
  search: {
    middlewares: [
      retainSearchParams(['range', 'live', 'inGroup']),
      stripSearchParams({ range: DEFAULT_RANGE, live: true, inGroup: '' }),
    ],
  },
});

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/service-map', search: (before) => before, replace: true });
  },
});

const serviceMap = createRoute({
  getParentRoute: () => root,
  path: '/service-map',
  validateSearch: z.object({
    q: filterParam,
    view: z.catch(z._default(z.enum(['map', 'table']), 'map'), 'map'),
    /** Key of the selected node or edge: `GraphNode.key`, `GraphEdge.key`. */
    node: z.catch(z.optional(textParam), undefined),
    edge: z.catch(z.optional(textParam), undefined),
  }),
  search: { middlewares: [stripSearchParams({ q: '', view: 'map' })] },
  component: lazyRouteComponent(() => import('./pages/service-map/page.tsx'), 'ServiceMapPage'),
});

const traces = createRoute({
  getParentRoute: () => root,
  path: '/traces',
  validateSearch: z.object({
    q: filterParam,
    group: z.catch(z._default(z.string(), 'service'), 'service'),
    page: z.catch(z._default(z.int().check(z.positive()), 1), 1),
  }),
  search: { middlewares: [stripSearchParams({ q: '', group: 'service', page: 1 })] },
  component: lazyRouteComponent(() => import('./pages/traces/page.tsx'), 'TracesPage'),
});

const trace = createRoute({
  getParentRoute: () => root,
  path: '/traces/$id',
  validateSearch: z.object({
    /** Id of the selected segment or subsegment. */
    entity: z.catch(z.optional(textParam), undefined),
    tab: z.catch(z._default(z.string(), 'overview'), 'overview'),
    map: z.catch(z._default(z.boolean(), true), true),
  }),
  search: { middlewares: [stripSearchParams({ tab: 'overview', map: true })] },
  component: lazyRouteComponent(() => import('./pages/trace/page.tsx'), 'TracePage'),
});

const groups = createRoute({
  getParentRoute: () => root,
  path: '/groups',
  component: lazyRouteComponent(() => import('./pages/groups/page.tsx'), 'GroupsPage'),
});

const server = createRoute({
  getParentRoute: () => root,
  path: '/server',
  component: lazyRouteComponent(() => import('./pages/server/page.tsx'), 'ServerPage'),
});

export const router = createRouter({
  parseSearch,
  routeTree: root.addChildren([index, serviceMap, traces, trace, groups, server]),
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
