import { Agent, request } from 'node:http';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { startOpenray } from '../../scripts/openray.ts';
import { addParts } from './cpu-figures.ts';
import { untilIdle } from './ingest.ts';
import { type CpuParts, cpuPartsOf, cpuSecondsOf } from './process-usage.ts';

const CONNECTIONS = 8;
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

type Send = (body: Buffer) => Promise<void>;

export type OtlpLoadOptions = {
  readonly flags?: readonly string[];
  /** Whether the CPU time includes the work after the last response: roll-up, merges and forwarding. */
  readonly waitsUntilIdle?: boolean;
};

export type OtlpLoad = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly parts: CpuParts;
  readonly latenciesMs: readonly number[];
};

/** Sends requests to a new server and measures its CPU time. */
export async function loadOtlp(
  transport: 'http' | 'grpc',
  dataDir: string,
  bodies: readonly Buffer[],
  { flags = [], waitsUntilIdle = false }: OtlpLoadOptions = {},
): Promise<OtlpLoad> {
  const server = await startOpenray(['--port', '0', '--data-dir', dataDir, '--log-level', 'warn', ...flags]);
  const { send, close } = transport === 'http' ? overHttp(server.otlpHttpUrl) : overGrpc(server.otlpGrpcUrl);
  try {
    const pid = server.process.pid as number;
    const latenciesMs: number[] = [];
    const beganCpu = cpuSecondsOf(pid);
    const beganParts = cpuPartsOf(pid);
    const beganMs = performance.now();
    const waiting = bodies.values();
    const worker = async () => {
      for (const body of waiting) {
        const sentMs = performance.now();
        await send(body);
        latenciesMs.push(performance.now() - sentMs);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    const seconds = (performance.now() - beganMs) / 1000;
    if (waitsUntilIdle) await untilIdle(pid);
    const parts = addParts(cpuPartsOf(pid), beganParts, -1);
    return { seconds, cpuSeconds: cpuSecondsOf(pid) - beganCpu, parts, latenciesMs };
  } finally {
    close();
    await server.kill();
  }
}

function overHttp(url: string | undefined): { readonly send: Send; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const headers = { 'content-type': 'application/x-protobuf' };
  const send: Send = (body) =>
    new Promise((resolve, reject) => {
      const sending = request(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`OTLP/HTTP answered ${response.statusCode}`));
        });
      });
      sending.on('error', reject);
      sending.end(body);
    });
  return { send, close: () => agent.destroy() };
}

function overGrpc(url: string | undefined): { readonly send: Send; close(): void } {
  const client = new Client(new URL(url ?? '').host, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const send: Send = (body) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(EXPORT, asIs, asIs, body, new Metadata(), (error) => (error ? reject(error) : resolve()));
    });
  return { send, close: () => client.close() };
}
