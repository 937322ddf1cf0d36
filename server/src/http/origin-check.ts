import type { FastifyInstance } from 'fastify';
import { OpenrayError } from '../errors.ts';

const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Refuses requests from web pages of other sites: otherwise any page that a developer visits could read traces and
 * invoke functions. A browser sends the site of the page in `Origin`; DNS rebinding shows in `Host`.
 */
export function checkOrigin(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const { host, origin } = request.headers;
    if (host !== undefined && !isLocal(host)) {
      throw new OpenrayError('AccessDeniedException', `host ${host.slice(0, 100)} is not an address of this server`);
    }
    if (origin !== undefined && hostOf(origin) !== host && !isLocal(hostOf(origin) ?? '')) {
      throw new OpenrayError('AccessDeniedException', `pages of ${origin.slice(0, 100)} may not call this server`);
    }
  });
}

function isLocal(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return LOCAL_NAMES.has(name) || name.endsWith('.localhost') || /^127(\.\d{1,3}){3}$/.test(name);
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
