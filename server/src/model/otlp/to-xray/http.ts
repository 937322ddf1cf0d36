import { definedMembers, type JsonObject } from '../../json.ts';
import { KIND, type Span } from '../../otlp-messages.ts';
import {
  type Attributes,
  consumeBoolean,
  consumeInteger,
  consumeText,
  firstInteger,
  firstText,
  textList,
} from './attributes.ts';

/** X-Ray's `http`, from the new and the old conventions; undefined for a span without HTTP attributes. */
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
      // The URL of a call to AWS is an endpoint or a queue. A queue is in `aws`.
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

/** Whether a proxy forwarded the request: the client's address is not that of the connection. */
function isForwarded(attributes: Attributes): boolean | undefined {
  const given = consumeBoolean(attributes, 'aws.xray.x_forwarded_for');
  if (given !== undefined) return given;
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

/** The given URL, else one from its parts. For a server without a host it is only the path. */
function urlOf(attributes: Attributes, isServer: boolean): string | undefined {
  const given = consumeText(attributes, 'url.full', 'http.url');
  if (given !== undefined) return given;
  const path = pathOf(attributes);
  const host = authorityOf(attributes, isServer);
  if (host === undefined) return isServer ? path : braveUrl(attributes);
  const scheme = firstText(attributes, 'url.scheme', 'http.scheme') ?? 'http';
  const port = portOf(attributes, isServer, scheme);
  return `${scheme}://${host}${port === undefined ? '' : `:${port}`}${path ?? '/'}`;
}

/** Brave knows the address of the called service at best. The name of the call has the service. */
function braveUrl(attributes: Attributes): string | undefined {
  const path = firstText(attributes, 'http.path');
  const address = firstText(attributes, 'network.peer.address');
  if (path === undefined || address === undefined) return path;
  const port = firstInteger(attributes, 'network.peer.port');
  const host = address.includes(':') ? `[${address}]` : address;
  return `http://${host}${port === undefined || port === 80 ? '' : `:${port}`}${path}`;
}

function authorityOf(attributes: Attributes, isServer: boolean): string | undefined {
  const host = isServer
    ? firstText(attributes, 'server.address', 'http.host', 'http.server_name', 'net.host.name', 'host.name')
    : firstText(attributes, 'server.address', 'http.host', 'net.peer.name', 'net.peer.ip');
  // A host with more than one colon is an IPv6 address.
  return host !== undefined && /^(?!\[).*:.*:/.test(host) ? `[${host}]` : host;
}

/** Undefined for the default port of the scheme, and for `http.host`, which contains the port. */
function portOf(attributes: Attributes, isServer: boolean, scheme: string): number | undefined {
  if (firstText(attributes, 'server.address') === undefined && firstText(attributes, 'http.host') !== undefined)
    return undefined;
  const port = firstInteger(attributes, 'server.port', isServer ? 'net.host.port' : 'net.peer.port');
  return port === DEFAULT_PORTS[scheme] ? undefined : port;
}

function pathOf(attributes: Attributes): string | undefined {
  const path = firstText(attributes, 'url.path');
  // Brave, Zipkin's client for Java, sends `http.path` and no host.
  if (path === undefined) return firstText(attributes, 'http.target', 'http.path');
  const query = firstText(attributes, 'url.query');
  const withSlash = path.startsWith('/') ? path : `/${path}`;
  return query === undefined ? withSlash : `${withSlash}?${query}`;
}
