import type { IncomingMessage } from 'node:http';

/**
 * Web pages that may call a listener: `none`, only those of this machine (`local`), or those too whose origin the
 * function allows.
 */
export type AllowedPages = 'none' | 'local' | ((origin: string) => boolean);

type RequestHead = Pick<IncomingMessage, 'method' | 'headers'>;

const LOCAL_HOST = /^(localhost|([a-z0-9_-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * The reason why a listener refuses a request; undefined when it may answer. Every HTTP listener asks before it reads a
 * body: else any page that a developer visits could read traces, invoke functions, or use their credentials.
 * - DNS rebinding makes a page's own name point to this machine. The browser still sends that name in `Host`.
 * - A browser sends the origin of a page in `Origin`, except for a GET without CORS: images, scripts, frames. There
 *   `Sec-Fetch-Site` says that the page is of another site, and `Referer` may say of which.
 * - Following a link is allowed: it opens a page that its finder cannot read.
 */
export function refusalReason({ method, headers }: RequestHead, pages: AllowedPages): string | undefined {
  const { host, origin, referer } = headers;
  const site = headers['sec-fetch-site'];
  if (host !== undefined && !LOCAL_HOST.test(host)) {
    return `host ${shortened(host)} is not an address of this server; call it by localhost or 127.0.0.1`;
  }
  if (pages === 'none') {
    const isFromBrowser = origin !== undefined || site !== undefined;
    return isFromBrowser ? 'only programs may call this port, and a browser sent the request' : undefined;
  }
  const isAllowed = (page: string) => isLocalOrigin(page) || (pages !== 'local' && pages(page));
  if (origin !== undefined) return isAllowed(origin) ? undefined : refusedPage(origin);
  if (site !== 'cross-site' || isLinkFollowed({ method, headers })) return undefined;
  const page = referer !== undefined && URL.canParse(referer) ? new URL(referer).origin : 'another site';
  return isAllowed(page) ? undefined : refusedPage(page);
}

function refusedPage(origin: string): string {
  return `pages of ${shortened(origin)} may not call this server`;
}

/** `null`, the origin of a sandboxed frame, is not local. */
function isLocalOrigin(origin: string): boolean {
  return URL.canParse(origin) && LOCAL_HOST.test(new URL(origin).host);
}

function isLinkFollowed({ method, headers }: RequestHead): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  return isRead && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function shortened(text: string): string {
  return text.slice(0, 100);
}
