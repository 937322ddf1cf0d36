import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { waitingDatagramBytes } from './process-usage.ts';

const DOCUMENTS_PER_CALL = 50;
const DAEMON_HEADER = '{"format":"json","version":1}\n';
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
      const { status, text } = await post(agent, `${url}${path}`, JSON.stringify(input));
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text.slice(0, 300)}`);
      return JSON.parse(text) as Answer;
    },
    close: () => agent.destroy(),
  };
}

/**
 * Sends all documents over the connections of the caller; each connection waits for its acknowledgement before it sends
 * more. Returns the milliseconds of each call. Throws when a document is rejected.
 */
export async function putDocuments(
  caller: XRayCaller,
  documents: Iterable<string>,
  connections: number,
): Promise<readonly number[]> {
  const batches = inBatches(documents, DOCUMENTS_PER_CALL);
  const latenciesMs: number[] = [];
  const worker = async () => {
    for (let next = batches.next(); !next.done; next = batches.next()) {
      const beganMs = performance.now();
      const response = await caller.call<{ UnprocessedTraceSegments: readonly object[] }>('/TraceSegments', {
        TraceSegmentDocuments: next.value,
      });
      latenciesMs.push(performance.now() - beganMs);
      const [rejected] = response.UnprocessedTraceSegments;
      if (rejected !== undefined) throw new Error(`a document was rejected: ${JSON.stringify(rejected)}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return latenciesMs;
}

function* inBatches<Item>(items: Iterable<Item>, size: number): Generator<readonly Item[]> {
  let batch: Item[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Sends each document as a datagram and returns their number; waits while the server's receive queue is full. */
export async function sendDatagrams(port: number, documents: Iterable<string>): Promise<number> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let sent = 0;
  for (const document of documents) {
    if (sent % DATAGRAMS_A_BURST === 0) {
      while (waitingDatagramBytes(port) > MAX_WAITING_BYTES) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise<void>((resolve, reject) =>
      socket.send(DAEMON_HEADER + document, (error) => (error ? reject(error) : resolve())),
    );
    sent++;
  }
  socket.close();
  return sent;
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

function post(agent: Agent, url: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
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
