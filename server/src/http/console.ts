import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
    await app.register(fastifyStatic, { root: consoleDir, serve: false });
    serveFiles(app, consoleDir);
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

/** One route serves all assets: a route each took longer than all the rest of the app's start. */
function serveFiles(app: FastifyInstance, consoleDir: string): void {
  const assets = new Set(readdirSync(join(consoleDir, 'assets')));
  app.get<{ Params: { name: string } }>('/assets/:name', ({ params: { name } }, reply) =>
    assets.has(name) ? reply.sendFile(`assets/${name}`, FOREVER) : reply.callNotFound(),
  );
  for (const file of readdirSync(consoleDir, { withFileTypes: true })) {
    if (file.isFile()) app.get(`/${file.name}`, (_request, reply) => reply.sendFile(file.name));
  }
}

/** The name of an asset has the hash of its content. */
const FOREVER = { maxAge: '365d', immutable: true };

/** A page of the console answers any client, such as curl, that does not ask for JSON alone; other paths only browsers. */
function wantsPage({ method, url, headers: { accept = '*/*' } }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (accept.includes('text/html')) return true;
  const isJsonOnly = accept.split(',').every((type) => /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type));
  return PAGE_PATH.test(url.replace(/\?.*$/s, '')) && !isJsonOnly;
}
