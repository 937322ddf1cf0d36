import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pauseProcess } from './engine-faults.ts';
import { newGracefulCloseProxy } from './graceful-close-proxy.ts';

/** A ClickHouse server in its own process. Acknowledged rows survive `kill`, as in production. */
export type ClickHouseServer = {
  /** `host:port` of its HTTP interface. */
  readonly address: string;
  /** Stops all threads of the process until `resume`; its connections stay open. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the process and its connections like a crash. It stays down until `start`. */
  kill(): Promise<void>;
  /** Starts the process on its data, and resolves when it responds. */
  start(): Promise<void>;
};

/** Servers that are the shards of one cluster, each with a single replica. */
export type ClickHouseCluster = {
  readonly shards: readonly ClickHouseServer[];
  /** For `--store-url`: contains every shard, so that each can be the host that queries use. */
  readonly url: string;
  /** Makes the first `count` servers the shards of the cluster, and restarts all servers. */
  setShards(count: number): Promise<void>;
  /** Kills all servers and removes their data. */
  stop(): Promise<void>;
};

export const CLUSTER_NAME = 'shards';
const USER = 'openray';
/** Statements that keep a process running: start the listeners, then sleep for years. */
const KEEP_LISTENING = [
  'SYSTEM START LISTEN HTTP',
  'SYSTEM START LISTEN TCP',
  `SELECT sleepEachRow(3) FROM numbers(1000000000)
   SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null`,
].join('; ');

/** Ports of the server, and of the proxies in front of it, which clients use. */
type Ports = Readonly<Record<'http' | 'tcp' | 'proxyHttp' | 'proxyTcp', number>>;

/**
 * Starts `count` servers on free ports of the loopback address; each responds after about half a second. With one server
 * `url` has no cluster. They have no Keeper and therefore no replication. Each may write backups into its own folder in
 * `backups`.
 */
export async function startClickHouse(count = 1, folder?: string, backups?: string): Promise<ClickHouseCluster> {
  const directory = folder ?? (await mkdtemp(join(tmpdir(), 'openray-clickhouse-')));
  const password = randomBytes(16).toString('hex');
  const made = await Promise.all(
    (await freePorts(count)).map(async (ports, index) => {
      const path = join(directory, `shard-${index + 1}`);
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'users.xml'), usersXml(password), { mode: 0o600 });
      return { path, tcpPort: ports.proxyTcp, server: newServer(path, ports) };
    }),
  );
  const servers = made.map(({ server }) => server);
  let shardCount = count;

  async function start(): Promise<void> {
    const ports = made.slice(0, shardCount).map(({ tcpPort }) => tcpPort);
    for (const [index, { path }] of made.entries()) {
      const config = configXml(ports, password, backups && join(backups, `shard-${index + 1}`));
      await writeFile(join(path, 'config.xml'), config, { mode: 0o600 });
    }
    await Promise.all(servers.map((server) => server.start()));
  }

  await start();
  return {
    shards: servers,
    get url() {
      const hosts = servers.slice(0, shardCount).map(({ address }) => address);
      const parameters = count > 1 ? `?cluster=${CLUSTER_NAME}&replicated=0` : '';
      return `http://${USER}:${password}@${hosts.join(',')}/openray${parameters}`;
    },
    async setShards(shards) {
      shardCount = shards;
      await Promise.all(servers.map((server) => server.kill()));
      await start();
    },
    async stop() {
      await Promise.all(servers.map((server) => server.kill()));
      if (folder === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Creates a server without starting it. */
function newServer(path: string, ports: Ports): ClickHouseServer {
  const proxies = [
    newGracefulCloseProxy(ports.proxyHttp, ports.http),
    newGracefulCloseProxy(ports.proxyTcp, ports.tcp),
  ];
  let child: ChildProcess | undefined;
  let isWanted = false;
  const run = () => {
    child = spawnEngine(path, ports);
    // An exit without `kill` is a defect of the library that a real server does not have.
    child.once('exit', () => {
      if (isWanted) run();
    });
  };
  return {
    address: `127.0.0.1:${ports.proxyHttp}`,
    async pause() {
      await pauseProcess(child?.pid ?? 0);
    },
    resume() {
      child?.kill('SIGCONT');
    },
    async kill() {
      isWanted = false;
      if (child && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
    async start() {
      isWanted = true;
      run();
      await untilAnswering(`127.0.0.1:${ports.http}`);
      await Promise.all(proxies.map((proxy) => proxy.open()));
    },
  };
}

function spawnEngine(path: string, { http, tcp }: Ports): ChildProcess {
  const script = fileURLToPath(new URL('./clickhouse-process.ts', import.meta.url));
  const args = ['--path', join(path, 'data'), '--config-file', join(path, 'config.xml'), '--listen_host=127.0.0.1'];
  return spawn(
    process.execPath,
    ['--import', 'tsx', script, ...args, `--http_port=${http}`, `--tcp_port=${tcp}`, '--query', KEEP_LISTENING],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );
}

async function untilAnswering(address: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const isUp = await fetch(`http://${address}/ping`).then(
      async (answer) => (await answer.text()) === 'Ok.\n',
      () => false,
    );
    if (isUp) return;
    if (performance.now() > deadline) throw new Error(`ClickHouse does not answer on ${address}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Free ports. All are held until the last is found, so that no two are equal. */
async function freePorts(count: number): Promise<readonly Ports[]> {
  const servers = Array.from({ length: count * 4 }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const numbers = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return Array.from({ length: count }, (_, index) => {
    const [http = 0, tcp = 0, proxyHttp = 0, proxyTcp = 0] = numbers.slice(index * 4);
    return { http, tcp, proxyHttp, proxyTcp };
  });
}

/** The user of the engine's own session has no password, and therefore may only listen and sleep. */
const usersXml = (password: string): string => `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants>
    </default>
    <${USER}>
      <password>${password}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT CREATE, ALTER, DROP, INSERT, SELECT, OPTIMIZE, BACKUP ON openray.*</query>
        <query>GRANT SELECT ON system.*</query>
        <query>GRANT CLUSTER, REMOTE, CREATE TEMPORARY TABLE, TABLE ENGINE ON *.*</query>
      </grants>
    </${USER}>
  </users>
</clickhouse>
`;

function configXml(tcpPorts: readonly number[], password: string, backupsPath: string | undefined): string {
  const remote = tcpPorts.map(
    (port) =>
      `<shard><replica><host>127.0.0.1</host><port>${port}</port>` +
      `<user>${USER}</user><password>${password}</password></replica></shard>`,
  );
  return `<clickhouse>
  <logger><level>none</level></logger>
  <users_config>users.xml</users_config>
  <max_server_memory_usage>1000000000</max_server_memory_usage>
  <mark_cache_size>50000000</mark_cache_size>
  ${backupsPath === undefined ? '' : `<backups><allowed_path>${backupsPath}</allowed_path></backups>`}
  <remote_servers><${CLUSTER_NAME}>${remote.join('')}</${CLUSTER_NAME}></remote_servers>
</clickhouse>
`;
}
