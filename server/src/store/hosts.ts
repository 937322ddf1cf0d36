import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { isUnreachable } from './clickhouse-errors.ts';
import type { StoreUrl } from './store-url.ts';

export type Host = {
  readonly endpoint: string;
  readonly client: ClickHouseClient;
  /** For what must not wait behind queries: killing them. */
  readonly control: ClickHouseClient;
};

/** The hosts of a URL. One is asked at a time, and stays the one until it can not be reached. */
export type Hosts = {
  readonly all: readonly Host[];
  /**
   * Runs `call` on the host of the hour, and on the next when that can not be reached. A call may so run twice, in
   * part; nothing that the store does minds. Fails as the last host does when none can be reached.
   */
  withHost<Result>(call: (host: Host) => Promise<Result>): Promise<Result>;
  /** The host does not answer: the next is asked from now on. */
  failOver(host: Host): void;
  close(): Promise<void>;
};

/** Above what the store itself allows any call. */
const REQUEST_TIMEOUT_MS = 4 * 3_600_000;
const CONTROL_TIMEOUT_MS = 2_000;

export function openHosts(url: StoreUrl, maxConnections: number, database: string | undefined): Hosts {
  const open = (endpoint: string, requestTimeoutMs: number, connections: number) =>
    createClient({
      url: endpoint,
      username: url.username,
      password: url.password,
      ...(database !== undefined && { database }),
      request_timeout: requestTimeoutMs,
      max_open_connections: connections,
      // Not answers: of one that fails on its way the end is lost, and with it what ClickHouse says of the failure.
      compression: { request: url.isCompressed, response: false },
      log: { level: ClickHouseLogLevel.OFF },
    });
  const all = url.endpoints.map((endpoint): Host => {
    const control = open(endpoint, CONTROL_TIMEOUT_MS, 2);
    return { endpoint, client: open(endpoint, REQUEST_TIMEOUT_MS, maxConnections), control };
  });
  let current = 0;

  function leave(host: Host): void {
    if (all[current] === host) current = (current + 1) % all.length;
  }

  return {
    all,
    failOver: leave,
    async withHost(call) {
      // Once more than there are hosts: a connection that was kept open may turn out to be closed when it is used.
      for (let left = all.length; ; left--) {
        const host = all[current] as Host;
        try {
          return await call(host);
        } catch (thrown) {
          if (!isUnreachable(thrown)) throw thrown;
          leave(host);
          if (left === 0) throw thrown;
        }
      }
    },
    async close() {
      await Promise.all(all.flatMap(({ client, control }) => [client.close(), control.close()]));
    },
  };
}
