import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { OpenrayError } from '../errors.ts';
import type { IndexedKeys } from '../model/otlp/to-xray/annotations.ts';
import { DEFAULT_LIMITS, parseDocument } from '../model/parse-document.ts';
import { increment } from '../stats.ts';
import { accept, type IngestContext } from './accept.ts';
import { readDatagram } from './datagram.ts';
import { acceptTraces } from './otlp.ts';
import { readSocketDrops } from './socket-drops.ts';

export type UdpOptions = {
  readonly host: string;
  readonly port: number;
  readonly documentMaxBytes: number;
  /** Whether spans that were not sampled are taken too. */
  readonly acceptsUnsampled: boolean;
  readonly nextSeq: () => number;
  /** Keys of attributes of spans that become annotations. */
  readonly indexed: IndexedKeys;
  readonly log: Logger;
};

export type UdpListener = { readonly port: number; close(): Promise<void> };

/** How often the system is asked what it dropped before it came here. */
const SOCKET_DROPS_INTERVAL_MS = 1000;

/**
 * The daemon's UDP port: takes segment documents, spans too, and never answers. What is faulty or can not be stored is
 * counted, and explained at debug level; nothing that is received can end the server.
 */
export async function listenUdp(context: IngestContext, options: UdpOptions): Promise<UdpListener> {
  const { log, nextSeq, documentMaxBytes, acceptsUnsampled: takesUnsampled, indexed } = options;
  const { stats } = context;
  const socket = createSocket({ type: options.host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 8 * 1024 * 1024 });
  const inFlight = new Set<Promise<void>>();

  async function take(bytes: Buffer): Promise<void> {
    stats.datagrams.received += 1;
    const datagram = readDatagram(bytes, { takesUnsampled });
    if (!datagram.ok) {
      increment(stats.datagrams.dropped, datagram.dropReason);
      log.debug({ drop: datagram.dropReason, reason: datagram.message, bytes: bytes.length }, 'datagram dropped');
      return;
    }
    try {
      if (datagram.kind === 'spans') {
        const { rejected, message } = await acceptTraces(datagram.data, 'udp', { ...context, nextSeq, indexed });
        if (rejected > 0) log.debug({ rejected, reason: message }, 'spans rejected');
        return;
      }
      await takeText(datagram.text);
    } catch (thrown) {
      log.debug({ err: thrown }, 'datagram not stored');
    }
  }

  function takeText(text: string): Promise<void> {
    const outcomes = parseDocument(text, nextSeq(), { ...DEFAULT_LIMITS, maxBytes: documentMaxBytes });
    for (const outcome of outcomes) {
      if (!outcome.ok) log.debug({ id: outcome.id, code: outcome.code, reason: outcome.message }, 'document rejected');
    }
    return accept(outcomes, 'udp', context);
  }

  socket.on('message', (bytes) => {
    const done = take(bytes).finally(() => inFlight.delete(done));
    inFlight.add(done);
  });
  socket.on('error', (err) => log.warn({ err }, 'UDP socket failed'));
  await bind(socket, options);
  const { port } = socket.address();
  const watch = setInterval(() => void countSocketDrops(), SOCKET_DROPS_INTERVAL_MS);
  let knownDrops = 0;

  async function countSocketDrops(): Promise<void> {
    const drops = (await readSocketDrops(port)) ?? 0;
    if (drops <= knownDrops) return;
    stats.datagrams.received += drops - knownDrops;
    increment(stats.datagrams.dropped, 'socket-full', drops - knownDrops);
    knownDrops = drops;
  }

  return {
    port,
    async close() {
      clearInterval(watch);
      socket.close();
      await once(socket, 'close');
      await Promise.all(inFlight);
    },
  };
}

async function bind(socket: Socket, { host, port }: UdpOptions): Promise<void> {
  socket.bind({ port, address: host, exclusive: true });
  try {
    await once(socket, 'listening');
  } catch (cause) {
    throw listenError('UDP', host, port, cause);
  }
}

/** One sentence for the commonest reason that a server does not start. */
export function listenError(
  protocol: 'UDP' | 'TCP',
  host: string,
  port: number,
  cause: unknown,
  { by, flag }: { readonly by: string; readonly flag: string } = {
    by: 'another openray or the X-Ray daemon',
    flag: '--port',
  },
): OpenrayError {
  const code = (cause as { code?: string } | undefined)?.code;
  const why =
    code === 'EADDRINUSE'
      ? `is in use, perhaps by ${by}; stop it or choose another with ${flag}`
      : `can not be listened on (${code ?? String(cause)})`;
  return new OpenrayError('ServiceUnavailable', `${protocol} port ${port} on ${host} ${why}`, { cause });
}
