import { OpenrayError } from '../../errors.ts';

/** Hosts, credentials and kind of a remote ClickHouse. */
export type StoreUrl = {
  /** `http://host:8123`, one for each host. The first reachable host is used. */
  readonly endpoints: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** Undefined for a single server. */
  readonly cluster: Cluster | undefined;
  /** Whether rows are compressed when they are sent to ClickHouse. */
  readonly isCompressed: boolean;
};

export type Cluster = {
  /** Name in `remote_servers` of ClickHouse's configuration. */
  readonly name: string;
  /** Whether shards have replicas and a Keeper. If not, every node of the cluster has to be in the URL. */
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

/** The URL with a masked password. */
export function maskStoreUrl(text: string): string {
  // Greedy up to the last @ before the path: a password may contain an @ that is not encoded.
  return text.replace(/^([a-z]+:\/\/[^:@/]*):[^/]*@/i, '$1:***@');
}

function endpointOf(scheme: string, host: string): string {
  try {
    const { hostname, port, pathname } = new URL(`${scheme}://${host}`);
    // `URL` omits the default port of the scheme, which may be in the text all the same.
    const chosenPort = /:(\d+)$/.exec(host)?.[1] ?? (port || DEFAULT_PORTS[scheme]);
    if (pathname !== '/' || hostname === '') throw invalid(`has an invalid host: ${host}`);
    return `${scheme}://${hostname}:${chosenPort}`;
  } catch {
    throw invalid(`has an invalid host: ${host}`);
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

function nameOf(kind: string, name: string): string {
  if (NAME.test(name)) return name;
  throw invalid(`has a ${kind} name with other characters than letters, digits and underscores`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a percent sign that encodes nothing; write %25 for one');
  }
}

const invalid = (problem: string): OpenrayError => new OpenrayError('SettingInvalid', `The store's URL ${problem}`);
