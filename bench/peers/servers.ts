import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../scripts/free-port.ts';
import { cleanEnvironment, startOpenray } from '../../scripts/openray.ts';

/** A running server, and where the load generator finds it. */
export type Server = {
  readonly pid: number;
  readonly format: 'otlp' | 'xray' | 'zipkin';
  readonly ingestUrl: string;
  readonly api: 'jaeger' | 'xray' | 'zipkin';
  readonly queryUrl: string;
  /** Whether its traces are in the folder, and not in memory alone. */
  readonly keepsFiles: boolean;
  stop(): Promise<void>;
};

export type Candidate = {
  readonly name: string;
  /** Starts it on an empty folder; `spans` is the number of spans that it will receive. */
  start(folder: string, spans: number): Promise<Server>;
};

/** openray with its default settings. It receives OTLP and is asked by Jaeger's API, or X-Ray's documents and API. */
export function openray(format: 'otlp' | 'xray'): Candidate {
  return {
    name: format === 'otlp' ? 'openray' : 'openray, X-Ray',
    async start(folder) {
      const ports = ['--port', '0', '--otlp-http-port', '0', '--otlp-grpc-port', '0'];
      const server = await startOpenray([...ports, '--data-dir', folder, '--log-level', 'warn']);
      const api = format === 'otlp' ? 'jaeger' : 'xray';
      const ingestUrl = format === 'otlp' ? `${server.otlpHttpUrl}/v1/traces` : `${server.url}/TraceSegments`;
      const pid = server.process.pid as number;
      return { pid, format, ingestUrl, api, queryUrl: server.url, keepsFiles: true, stop: server.stop };
    },
  };
}

/** Jaeger with Badger, its store of a single machine; everything else as in the configuration that it ships. */
export function jaeger(program: string): Candidate {
  return {
    name: 'Jaeger',
    async start(folder) {
      const [otlp, query, queryGrpc] = [await freePort(), await freePort(), await freePort()];
      const local = (port: number) => ({ endpoint: `127.0.0.1:${port}` });
      const directories = { keys: join(folder, 'keys'), values: join(folder, 'values') };
      const pipeline = { receivers: ['otlp'], processors: ['batch'], exporters: ['jaeger_storage_exporter'] };
      const config = {
        service: {
          extensions: ['jaeger_storage', 'jaeger_query'],
          pipelines: { traces: pipeline },
          telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
        },
        extensions: {
          jaeger_storage: { backends: { local: { badger: { directories, ephemeral: false } } } },
          jaeger_query: { storage: { traces: 'local' }, http: local(query), grpc: local(queryGrpc) },
        },
        receivers: { otlp: { protocols: { http: local(otlp) } } },
        processors: { batch: {} },
        exporters: { jaeger_storage_exporter: { trace_storage: 'local' } },
      };
      await Promise.all(Object.values(directories).map((path) => mkdir(path, { recursive: true })));
      const file = join(folder, 'config.json');
      await writeFile(file, JSON.stringify(config));
      const queryUrl = `http://127.0.0.1:${query}`;
      const started = await startProgram(program, ['--config', file], `${queryUrl}/api/services`);
      const ingestUrl = `http://127.0.0.1:${otlp}/v1/traces`;
      return { ...started, format: 'otlp', ingestUrl, api: 'jaeger', queryUrl, keepsFiles: true };
    },
  };
}

export function victoriaTraces(program: string): Candidate {
  return {
    name: 'VictoriaTraces',
    async start(folder) {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const flags = [`-storageDataPath=${folder}`, `-httpListenAddr=127.0.0.1:${port}`, '-loggerLevel=WARN'];
      // Newer versions have a service map once this task runs.
      const help = spawnSync(program, ['-help'], { encoding: 'utf8' });
      if (`${help.stdout}${help.stderr}`.includes('servicegraph.enableTask'))
        flags.push('-servicegraph.enableTask=true');
      const started = await startProgram(program, flags, `${url}/health`);
      const ingestUrl = `${url}/insert/opentelemetry/v1/traces`;
      return {
        ...started,
        format: 'otlp',
        ingestUrl,
        api: 'jaeger',
        queryUrl: `${url}/select/jaeger`,
        keepsFiles: true,
      };
    },
  };
}

/** Zipkin with its store in memory, which needs room for all spans: above its bound it drops the oldest. */
export function zipkin(jar: string): Candidate {
  return {
    name: 'Zipkin',
    async start(_folder, spans) {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const env = {
        QUERY_PORT: String(port),
        STORAGE_TYPE: 'mem',
        MEM_MAX_SPANS: String(2 * spans),
        LOGGING_LEVEL_ROOT: 'WARN',
      };
      const started = await startProgram('java', ['-jar', jar], `${url}/health`, env);
      const ingestUrl = `${url}/api/v2/spans`;
      return { ...started, format: 'zipkin', ingestUrl, api: 'zipkin', queryUrl: url, keepsFiles: false };
    },
  };
}

const READY_WITHIN_MS = 180_000;
/** A server that takes longer to end is killed. */
const ENDS_WITHIN_MS = 60_000;

/** Resolves when the URL answers 200; rejects with the output of the program when it ends before, or is not ready. */
async function startProgram(
  program: string,
  args: readonly string[],
  readyUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Pick<Server, 'pid' | 'stop'>> {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnvironment(env) });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      printed = (printed + bytes.toString()).slice(-4_000);
    });
  }
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const exited = once(child, 'exit').catch(() => {});
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (!(await answers(readyUrl))) {
    if (failure) throw failure;
    if (hasEnded()) throw new Error(`${program} ended before it was ready:\n${printed}`);
    if (performance.now() > deadlineMs) {
      child.kill('SIGKILL');
      throw new Error(`${program} was not ready within ${READY_WITHIN_MS / 1000} s:\n${printed}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    pid: child.pid as number,
    async stop() {
      if (!hasEnded()) child.kill('SIGTERM');
      const killing = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
      await exited;
      clearTimeout(killing);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}
