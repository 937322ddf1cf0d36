import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

/**
 * Trace ids of the sent documents. Each trace has one document, sent once, so that only the server can duplicate it.
 */
export type Sent = {
  /** Sent over HTTP and acknowledged. */
  readonly acknowledged: Set<string>;
  /** Documents that were sent over HTTP and refused or not answered: they may be stored or not. */
  unanswered: number;
  /** Sent over UDP, which has no acknowledgements. */
  readonly datagrams: Set<string>;
  /** Time of the last acknowledgement, by `performance.now()`. */
  acknowledgedMs: number;
};

const HTTP_WRITERS = 6;
const PER_CALL = 20;
const DATAGRAMS_EVERY_MS = 5;
const PER_BURST = 5;
/** Ends a call that started before a kill and gets no response. */
const CALL_TIMEOUT_MS = 15_000;
const AFTER_FAILURE_MS = 50;

/** Sends documents until `stop`: over HTTP as fast as calls are answered, over UDP at a constant rate. */
export function startLoad(url: string): { readonly sent: Sent; stop(): Promise<void> } {
  const sent: Sent = { acknowledged: new Set(), unanswered: 0, datagrams: new Set(), acknowledgedMs: 0 };
  let isStopped = false;

  async function writeHttp(): Promise<void> {
    while (!isStopped) {
      const documents = Array.from({ length: PER_CALL }, newDocument);
      if (await put(url, documents)) {
        for (const { id } of documents) sent.acknowledged.add(id);
        sent.acknowledgedMs = performance.now();
      } else {
        sent.unanswered += documents.length;
        await new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS));
      }
    }
  }

  const { hostname, port } = new URL(url);
  const socket = createSocket('udp4');
  // While the server is down, sends to its closed port fail.
  socket.on('error', () => {});
  const bursts = setInterval(() => {
    for (let count = 0; count < PER_BURST; count++) {
      const { id, text } = newDocument();
      sent.datagrams.add(id);
      socket.send(`{"format":"json","version":1}\n${text}`, Number(port), hostname, () => {});
    }
  }, DATAGRAMS_EVERY_MS);

  const writers = Array.from({ length: HTTP_WRITERS }, writeHttp);
  return {
    sent,
    async stop() {
      isStopped = true;
      clearInterval(bursts);
      await Promise.all(writers);
      socket.close();
    },
  };
}

/** Whether the server acknowledged all documents. */
async function put(url: string, documents: readonly { readonly text: string }[]): Promise<boolean> {
  try {
    const response = await fetch(`${url}/TraceSegments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ TraceSegmentDocuments: documents.map(({ text }) => text) }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const body = (await response.json()) as { UnprocessedTraceSegments?: readonly unknown[] };
    return response.ok && body.UnprocessedTraceSegments?.length === 0;
  } catch {
    return false;
  }
}

/** A segment of about half a kilobyte with a subsegment. `id` is the trace id in 32 hex digits. */
function newDocument(): { readonly id: string; readonly text: string } {
  const end = Date.now() / 1000;
  const start = end - 0.2;
  const time = Math.floor(end).toString(16).padStart(8, '0');
  const rest = randomBytes(12).toString('hex');
  const text = JSON.stringify({
    name: 'shop',
    id: randomBytes(8).toString('hex'),
    trace_id: `1-${time}-${rest}`,
    start_time: start,
    end_time: end,
    annotations: { user: rest.slice(0, 6), isGold: rest.startsWith('0') },
    metadata: { default: { note: rest.repeat(8) } },
    subsegments: [{ name: 'orders', id: randomBytes(8).toString('hex'), start_time: start, end_time: end }],
  });
  return { id: time + rest, text };
}
