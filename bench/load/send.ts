import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { waitingDatagramBytes } from './process-usage.ts';

/** Below Linux's default receive buffer, so that the sender waits before the kernel drops datagrams. */
const MAX_WAITING_BYTES = 96 * 1024;
const DATAGRAMS_A_BURST = 16;
/** A call that takes longer fails. */
const CALL_TIMEOUT_MS = 120_000;

export type XRayCaller = {
  /** Calls an operation of the X-Ray API over a kept-alive connection. Throws unless the status is 200. */
  call<Answer>(path: string, input: object): Promise<Answer>;
  close(): void;
};

export function newXRayCaller(url: string, connections: number): XRayCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    call: async <Answer>(path: string, input: object) => {
      const { status, text } = await post(
        agent,
        `${url}${path}`,
        'application/json',
        Buffer.from(JSON.stringify(input)),
      );
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text.slice(0, 300)}`);
      return JSON.parse(text) as Answer;
    },
    close: () => agent.destroy(),
  };
}

/** Sends the datagrams one after the other; waits while the server's receive queue is full. */
export async function sendDatagrams(port: number, datagrams: readonly Buffer[]): Promise<void> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (const [index, datagram] of datagrams.entries()) {
    if (index % DATAGRAMS_A_BURST === 0) {
      while (waitingDatagramBytes(port) > MAX_WAITING_BYTES) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise<void>((resolve, reject) => socket.send(datagram, (error) => (error ? reject(error) : resolve())));
  }
  socket.close();
}

/** The server's counters, by the name of the Prometheus series with its labels. */
export async function readMetrics(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    series.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

export type Reply = { readonly status: number; readonly text: string };

export function post(agent: Agent, url: string, contentType: string, body: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': contentType, 'content-length': body.length };
    const sending = request(url, { method: 'POST', agent, headers, timeout: CALL_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    sending.on('timeout', () => sending.destroy(new Error(`no answer within ${CALL_TIMEOUT_MS / 1000} s`)));
    sending.on('error', reject);
    sending.end(body);
  });
}
