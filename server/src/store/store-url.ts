import { OpenrayError } from '../errors.ts';

/** Where a remote ClickHouse is, and what it is. */
export type StoreUrl = {
  /** `http://host:8123`, one a host; the first that answers is asked. */
  readonly endpoints: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** Undefined for a single server. */
  readonly cluster: Cluster | undefined;
  /** Whether rows are compressed on their way to ClickHouse. */
  readonly isCompressed: boolean;
};

export type Cluster = {
  /** As `remote_servers` of ClickHouse's configuration has it. */
  readonly name: string;
  /** Whether shards have replicas and a Keeper. Without, every node of the cluster has to be in the URL. */
  readonly isReplicated: boolean;
};

const SHAPE = /^(https?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^/?#]*))?(?:\?([^#]*))?$/;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 8123, https: 8443 };
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * `http://user:password@host:8123/database?cluster=NAME`, the hosts of a cluster separated by commas.
 * Throws SettingInvalid; its sentence never shows the password.
 */
export function parseStoreUrl(text: string): StoreUrl {
  const [, scheme = '', credentials = '', hosts = '', database = '', query = ''] = SHAPE.exec(text) ?? [];
  if (scheme === '') throw invalid('is not of the form http://user:password@host:8123/database');
  const [username = '', ...password] = credentials.split(':');
  const { cluster, replicated, compression, ...unknown } = Object.fromEntries(new URLSearchParams(query));
  const [misspelt] = Object.keys(unknown);
  if (misspelt !== undefined) throw invalid(`has an unknown parameter, ${misspelt}`);
  const endpoints = hosts.split(',').map((host) => endpointOf(scheme, host));
  if (cluster === undefined && replicated !== undefined) throw invalid('says replicated without a cluster');
  return {
    endpoints,
    username: decode(username) || 'default',
    password: decode(password.join(':')),
    database: nameOf('database', decode(database) || 'openray'),
    cluster:
      cluster === undefined
        ? undefined
        : { name: nameOf('cluster', cluster), isReplicated: flagOf('replicated', replicated, true) },
    isCompressed: flagOf('compression', compression, !endpoints.every(isOnThisMachine)),
  };
}

/** The URL as it may be shown. */
export function maskStoreUrl(text: string): string {
  // Greedy up to the last @ before the path: a password may hold one that nobody has encoded.
  return text.replace(/^([a-z]+:\/\/[^:@/]*):[^/]*@/i, '$1:***@');
}

function endpointOf(scheme: string, host: string): string {
  try {
    const { hostname, port, pathname } = new URL(`${scheme}://${host}`);
    // The platform leaves out a port that is the scheme's own; it was asked for all the same.
    const asked = /:(\d+)$/.exec(host)?.[1] ?? (port || DEFAULT_PORTS[scheme]);
    if (pathname !== '/' || hostname === '') throw invalid(`has a host that is none: ${host}`);
    return `${scheme}://${hostname}:${asked}`;
  } catch {
    throw invalid(`has a host that is none: ${host}`);
  }
}

function isOnThisMachine(endpoint: string): boolean {
  return /^https?:\/\/(localhost|127\.[\d.]+|\[::1\]):/.test(endpoint);
}

function flagOf(name: string, value: string | undefined, byDefault: boolean): boolean {
  if (value === undefined) return byDefault;
  if (value !== '0' && value !== '1') throw invalid(`has ${name}=${value}; it is 0 or 1`);
  return value === '1';
}

function nameOf(what: string, name: string): string {
  if (NAME.test(name)) return name;
  throw invalid(`names a ${what} of other characters than letters, digits and underscores`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a percent sign that encodes nothing; write %25 for one');
  }
}

const invalid = (what: string): OpenrayError => new OpenrayError('SettingInvalid', `The store's URL ${what}`);
