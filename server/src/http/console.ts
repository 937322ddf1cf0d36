import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyCompress from '@fastify/compress';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { unknownOperation } from './errors.ts';

/** Pages may load from this server only; Cloudscape sets styles inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'";

/** The pages of the console's router. */
const PAGE_PATH = /^\/(?:service-map|traces(?:\/[^/]+)?|groups|server)?\/?$/;

/** The console's files; every other path of a page returns `index.html`, since the path is the state of the console. */
export async function serveConsole(app: FastifyInstance, consoleDir: string | undefined): Promise<void> {
  const page = consoleDir === undefined ? undefined : join(consoleDir, 'index.html');
  const index = page !== undefined && existsSync(page) ? readFileSync(page) : undefined;
  if (consoleDir !== undefined && index !== undefined) {
    await app.register(fastifyCompress, { global: true, threshold: 2048 });
    await app.register(fastifyStatic, {
      root: consoleDir,
      index: false,
      wildcard: false,
      setHeaders: (reply, path) => {
        if (path.includes('/assets/')) reply.setHeader('cache-control', 'public, max-age=31536000, immutable');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (index === undefined || !wantsPage(request)) throw unknownOperation(request.method, request.url);
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', CONTENT_SECURITY_POLICY)
      .header('cache-control', 'no-cache')
      .send(index);
  });
}

/** A page of the console answers any client, such as curl, that does not ask for JSON alone; other paths only browsers. */
function wantsPage({ method, url, headers: { accept = '*/*' } }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (accept.includes('text/html')) return true;
  const isJsonOnly = accept.split(',').every((type) => /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type));
  return PAGE_PATH.test(url.replace(/\?.*$/s, '')) && !isJsonOnly;
}
