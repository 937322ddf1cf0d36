import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { IndexedKeys } from '../model/otlp/to-xray/annotations.ts';
import { DEFAULT_LIMITS } from '../model/parse-document.ts';
import { increment } from '../stats.ts';
import type { IngestContext } from './accept.ts';
import { readDatagram } from './datagram.ts';
import { DECODED_BYTES_PER_BYTE, type MemoryBudget } from './memory-budget.ts';
import { acceptTraces } from './otlp.ts';
import { acceptSegments } from './segments.ts';
import { readSocketDrops } from './socket-drops.ts';

export type UdpOptions = {
  readonly host: string;
  readonly port: number;
  readonly documentMaxBytes: number;
  /** Whether unsampled spans are stored. */
  readonly acceptsUnsampled: boolean;
  readonly nextSeq: (count?: number) => number;
  /** Keys of span attributes that become annotations. */
  readonly indexed: IndexedKeys;
  readonly memory: MemoryBudget;
  readonly log: Logger;
};

export type UdpListener = {
  readonly port: number;
  /** Stores the datagrams that the system has received, then closes. */
  close(): Promise<void>;
};

/** Interval at which the drops of the operating system are read. */
const SOCKET_DROPS_INTERVAL_MS = 1000;
/** Bound of the time in which a closing listener reads, since senders may not stop. */
const DRAIN_MAX_MS = 2_000;

/**
 * The daemon's UDP port for segment documents and spans. Sends no responses: invalid and unstored documents are
 * counted, and logged at level debug. Rejects with the error of the socket when the port is in use.
 */
export async function listenUdp(context: IngestContext, options: UdpOptions): Promise<UdpListener> {
  const { log, nextSeq, documentMaxBytes, acceptsUnsampled, indexed } = options;
  const { stats } = context;
  const socket = createSocket({ type: options.host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 8 * 1024 * 1024 });
  const limits = { ...DEFAULT_LIMITS, maxBytes: documentMaxBytes };
  const segmentContext = { ...context, nextSeq, limits };
  const inFlight = new Set<Promise<void>>();
  let dropsTimer: NodeJS.Timeout | undefined;

  async function receive(bytes: Buffer): Promise<void> {
    stats.datagrams.received += 1;
    dropsTimer ??= setTimeout(() => void countSocketDrops(), SOCKET_DROPS_INTERVAL_MS);
    const memory = options.memory.open();
    const neededBytes = bytes.length * (1 + DECODED_BYTES_PER_BYTE);
    if (!options.memory.hasRoom('decoded', neededBytes)) {
      increment(stats.datagrams.dropped, 'memory');
      return;
    }
    const admitted = context.admission.admitNow(bytes.length);
    if (admitted === undefined) {
      increment(stats.datagrams.dropped, 'queue-full');
      return;
    }
    memory.reserve('decoded', neededBytes);
    try {
      await store(bytes);
    } finally {
      memory.release();
      admitted.release();
    }
  }

  async function store(bytes: Buffer): Promise<void> {
    const datagram = readDatagram(bytes, { acceptsUnsampled });
    if (!datagram.ok) {
      increment(stats.datagrams.dropped, datagram.dropReason);
      log.debug({ dropReason: datagram.dropReason, detail: datagram.message, bytes: bytes.length }, 'datagram dropped');
      return;
    }
    try {
      if (datagram.kind === 'spans') {
        const { rejected, message } = await acceptTraces(datagram.data, 'udp', { ...context, nextSeq, indexed });
        if (rejected > 0) log.debug({ rejected, reason: message }, 'spans rejected');
        return;
      }
      await acceptDocument(datagram.text);
    } catch (thrown) {
      log.debug({ err: thrown }, 'datagram not stored');
    }
  }

  function acceptDocument(text: string): Promise<void> {
    const { stored, rejections } = acceptSegments([text], 'udp', segmentContext);
    for (const { id, code, message } of rejections) log.debug({ id, code, reason: message }, 'document rejected');
    return stored;
  }

  socket.on('message', (bytes) => {
    const done = receive(bytes).finally(() => inFlight.delete(done));
    inFlight.add(done);
  });
  socket.on('error', (err) => log.warn({ err }, 'UDP socket failed'));
  socket.bind({ port: options.port, address: options.host, exclusive: true });
  await once(socket, 'listening');
  const { port } = socket.address();
  let countedDrops = 0;

  /** After each second with a datagram: the system drops only while the buffer is full. */
  async function countSocketDrops(): Promise<void> {
    clearTimeout(dropsTimer);
    dropsTimer = undefined;
    const drops = (await readSocketDrops(port)) ?? 0;
    if (drops <= countedDrops) return;
    stats.datagrams.received += drops - countedDrops;
    increment(stats.datagrams.dropped, 'socket-full', drops - countedDrops);
    countedDrops = drops;
  }

  /** Reads what the system has received: until a turn of the event loop brings no datagram. */
  async function drainSocket(): Promise<void> {
    const lastMs = performance.now() + DRAIN_MAX_MS;
    let seen: number;
    do {
      seen = stats.datagrams.received;
      // The first call may return in a turn that has passed the sockets already.
      await setImmediate();
      await setImmediate();
    } while (stats.datagrams.received !== seen && performance.now() < lastMs);
  }

  return {
    port,
    async close() {
      await drainSocket();
      await countSocketDrops();
      socket.close();
      await once(socket, 'close');
      await Promise.all(inFlight);
    },
  };
}
