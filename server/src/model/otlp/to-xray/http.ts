import type { JsonObject } from '../../json.ts';
import { KIND, type Span } from '../types.ts';
import {
  type Attributes,
  consumeBoolean,
  consumeInteger,
  consumeText,
  firstInteger,
  firstText,
  textList,
} from './attributes.ts';
import { definedMembers } from './resource.ts';

/** X-Ray's `http` from the new conventions and the old; undefined for a span that has nothing to do with HTTP. */
export function httpOf(
  { kind }: Span,
  attributes: Attributes,
  namespace: 'aws' | 'remote' | undefined,
): JsonObject | undefined {
  if (!attributes.families.http) return undefined;
  const isServer = kind === KIND.server;
  return definedMembers({
    request: definedMembers({
      method: methodOf(attributes),
      // Of a call to AWS the URL is an endpoint, or a queue's: `aws` has it then.
      url: namespace === 'aws' ? undefined : urlOf(attributes, isServer),
      user_agent: consumeText(attributes, 'user_agent.original', 'http.user_agent'),
      client_ip: clientIpOf(attributes, isServer),
      x_forwarded_for: isForwarded(attributes),
    }),
    response: definedMembers({
      status: consumeInteger(attributes, 'http.response.status_code', 'http.status_code'),
      content_length: contentLengthOf(attributes),
    }),
  });
}

function methodOf(attributes: Attributes): string | undefined {
  const isOther = firstText(attributes, 'http.request.method') === '_OTHER';
  return isOther
    ? (consumeText(attributes, 'http.request.method_original') ?? consumeText(attributes, 'http.request.method'))
    : consumeText(attributes, 'http.request.method', 'http.method');
}

function clientIpOf(attributes: Attributes, isServer: boolean): string | undefined {
  return isServer
    ? consumeText(attributes, 'client.address', 'http.client_ip', 'network.peer.address', 'net.peer.ip')
    : consumeText(attributes, 'client.address', 'http.client_ip');
}

/** The address that a proxy has told differs from the one that the connection came from. */
function isForwarded(attributes: Attributes): boolean | undefined {
  const told = consumeBoolean(attributes, 'aws.xray.x_forwarded_for');
  if (told !== undefined) return told;
  const client = firstText(attributes, 'client.address', 'http.client_ip');
  const peer = firstText(attributes, 'network.peer.address', 'net.peer.ip');
  return client !== undefined && peer !== undefined && client !== peer ? true : undefined;
}

function contentLengthOf(attributes: Attributes): number | undefined {
  const size = consumeInteger(attributes, 'http.response.body.size', 'http.response_content_length');
  if (size !== undefined) return size;
  const [header = ''] = textList(attributes, 'http.response.header.content-length');
  return /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** As it is told, or put together; a server without a host of its own knows at least the path. */
function urlOf(attributes: Attributes, isServer: boolean): string | undefined {
  const told = consumeText(attributes, 'url.full', 'http.url');
  if (told !== undefined) return told;
  const path = pathOf(attributes);
  const host = authorityOf(attributes, isServer);
  if (host === undefined) return isServer ? path : undefined;
  const scheme = firstText(attributes, 'url.scheme', 'http.scheme') ?? 'http';
  const port = portOf(attributes, isServer, scheme);
  return `${scheme}://${host}${port === undefined ? '' : `:${port}`}${path ?? '/'}`;
}

function authorityOf(attributes: Attributes, isServer: boolean): string | undefined {
  const host = isServer
    ? firstText(attributes, 'server.address', 'http.host', 'http.server_name', 'net.host.name', 'host.name')
    : firstText(attributes, 'server.address', 'http.host', 'net.peer.name', 'net.peer.ip');
  // More than one colon is an address of IPv6.
  return host !== undefined && /^(?!\[).*:.*:/.test(host) ? `[${host}]` : host;
}

/** None where the scheme implies it. `http.host` has its own. */
function portOf(attributes: Attributes, isServer: boolean, scheme: string): number | undefined {
  if (firstText(attributes, 'server.address') === undefined && firstText(attributes, 'http.host') !== undefined)
    return undefined;
  const port = firstInteger(attributes, 'server.port', isServer ? 'net.host.port' : 'net.peer.port');
  return port === DEFAULT_PORTS[scheme] ? undefined : port;
}

function pathOf(attributes: Attributes): string | undefined {
  const path = firstText(attributes, 'url.path');
  if (path === undefined) return firstText(attributes, 'http.target');
  const query = firstText(attributes, 'url.query');
  const withSlash = path.startsWith('/') ? path : `/${path}`;
  return query === undefined ? withSlash : `${withSlash}?${query}`;
}
