import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { isUnreachable } from './clickhouse-errors.ts';
import type { StoreUrl } from './store-url.ts';

export type Host = {
  readonly endpoint: string;
  readonly client: ClickHouseClient;
  /** For KILL QUERY, which must not wait behind queries. */
  readonly control: ClickHouseClient;
};

/** The hosts of a URL. Calls use the current host until it cannot be reached. */
export type Hosts = {
  readonly all: readonly Host[];
  /**
   * Runs `call` on the current host, and on the next one if that cannot be reached. So a call may run partially and
   * then again; all calls of the store tolerate this. Fails like the last host if none can be reached.
   */
  withHost<Result>(call: (host: Host) => Promise<Result>): Promise<Result>;
  /** Later calls use the next host. */
  failOver(host: Host): void;
  close(): Promise<void>;
};

/** Longer than the limit of any call of the store. */
const REQUEST_TIMEOUT_MS = 4 * 3_600_000;
const CONTROL_TIMEOUT_MS = 2_000;

export function openHosts(
  url: StoreUrl,
  maxConnections: number,
  database: string | undefined,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
): Hosts {
  const open = (endpoint: string, timeoutMs: number, connections: number) =>
    createClient({
      url: endpoint,
      username: url.username,
      password: url.password,
      ...(database !== undefined && { database }),
      request_timeout: timeoutMs,
      max_open_connections: connections,
      // No compressed responses: if a query fails halfway, the end of the response with ClickHouse's message is lost.
      compression: { request: url.isCompressed, response: false },
      log: { level: ClickHouseLogLevel.OFF },
    });
  const all = url.endpoints.map((endpoint): Host => {
    const control = open(endpoint, CONTROL_TIMEOUT_MS, 2);
    return { endpoint, client: open(endpoint, requestTimeoutMs, maxConnections), control };
  });
  let current = 0;

  function failOver(host: Host): void {
    if (all[current] === host) current = (current + 1) % all.length;
  }

  return {
    all,
    failOver,
    async withHost(call) {
      // One attempt more than there are hosts: a kept-alive connection may be closed when it is used.
      for (let left = all.length; ; left--) {
        const host = all[current] as Host;
        try {
          return await call(host);
        } catch (thrown) {
          if (!isUnreachable(thrown)) throw thrown;
          failOver(host);
          if (left === 0) throw thrown;
        }
      }
    },
    async close() {
      await Promise.all(all.flatMap(({ client, control }) => [client.close(), control.close()]));
    },
  };
}
