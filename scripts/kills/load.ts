import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { SPANS_PER_TRACE } from '../../bench/load/trace-shapes.ts';
import { newOtlpTemplate, SPANS_PER_REQUEST } from './otlp-template.ts';

/** What a trace is stored as: rows of documents and, at least, of entities. */
export type TraceRows = { readonly documents: number; readonly entities: number };

const XRAY_TRACE: TraceRows = { documents: 1, entities: 2 };
const OTLP_TRACE: TraceRows = { documents: SPANS_PER_TRACE, entities: SPANS_PER_TRACE };

/**
 * Sent traces by their ids in 32 hex digits. Each document is sent once, so that only the server can duplicate it.
 */
export type Sent = {
  /** Sent over HTTP and acknowledged. */
  readonly acknowledged: Map<string, TraceRows>;
  /** Documents and spans that were sent over HTTP and refused or not answered: they may be stored or not. */
  unanswered: number;
  /** Sent over UDP, which has no acknowledgements. */
  readonly datagrams: Set<string>;
  acknowledgedSpans: number;
  /** The latest begin of an acknowledged request, by `performance.now()`. */
  begunMs: number;
  /** A trace of the last acknowledged request. */
  lastTraceId: string | undefined;
};

export type LoadOptions = {
  /** OTLP spans a second. Fewer are sent while all connections wait for their acknowledgements. */
  readonly spansPerSecond: number;
  /** Pause of each of two writers of X-Ray's documents between two calls of 20 documents. */
  readonly xrayPauseMs: number;
  /** Time between two bursts of five datagrams. */
  readonly datagramsEveryMs: number;
};

const XRAY_WRITERS = 2;
const DOCUMENTS_PER_CALL = 20;
const OTLP_CONNECTIONS = 8;
const PER_BURST = 5;
/** Ends a call that started before a kill and gets no response. */
const CALL_TIMEOUT_MS = 15_000;
const AFTER_FAILURE_MS = 50;

/** X-Ray's HTTP port and UDP port, which are one, and OTLP's. */
export type LoadTargets = { readonly url: string; readonly otlpUrl: string };

export type Load = {
  readonly sent: Sent;
  /** May be called again. */
  stop(): Promise<void>;
};

/** Sends until `stop`: OTLP at the rate of the options, X-Ray's documents over HTTP and UDP at a lower one. */
export function startLoad(
  { url, otlpUrl }: LoadTargets,
  { spansPerSecond, xrayPauseMs, datagramsEveryMs }: LoadOptions,
): Load {
  const sent: Sent = {
    ...{ acknowledged: new Map(), unanswered: 0, datagrams: new Set(), acknowledgedSpans: 0 },
    ...{ begunMs: 0, lastTraceId: undefined },
  };
  let isStopped = false;
  let isClosed = false;

  function count(beganMs: number, isAcknowledged: boolean, traceIds: readonly string[], rows: TraceRows): void {
    if (!isAcknowledged) {
      sent.unanswered += traceIds.length * rows.documents;
      return;
    }
    for (const id of traceIds) sent.acknowledged.set(id, rows);
    sent.acknowledgedSpans += traceIds.length * rows.entities;
    sent.begunMs = Math.max(sent.begunMs, beganMs);
    sent.lastTraceId = traceIds[0];
  }

  async function writeXray(): Promise<void> {
    while (!isStopped) {
      const documents = Array.from({ length: DOCUMENTS_PER_CALL }, newDocument);
      const body = JSON.stringify({ TraceSegmentDocuments: documents.map(({ text }) => text) });
      const beganMs = performance.now();
      const answer = await post(`${url}/TraceSegments`, 'application/json', body);
      const { UnprocessedTraceSegments: rejected } = (answer ?? {}) as {
        UnprocessedTraceSegments?: readonly unknown[];
      };
      const ids = documents.map(({ id }) => id);
      count(beganMs, rejected?.length === 0, ids, XRAY_TRACE);
      await pause(xrayPauseMs);
    }
  }

  const nextRequest = newOtlpTemplate();
  const everyMs = (1000 * SPANS_PER_REQUEST) / spansPerSecond;
  /** When the next request is due. Time in which all connections waited is not made up for. */
  let dueMs = performance.now();
  async function writeOtlp(): Promise<void> {
    while (!isStopped) {
      dueMs = Math.max(dueMs + everyMs, performance.now() - everyMs);
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await pause(waitMs);
      const { body, traceIds } = nextRequest();
      const beganMs = performance.now();
      const answer = await post(`${otlpUrl}/v1/traces`, 'application/x-protobuf', body);
      count(beganMs, answer !== undefined, traceIds, OTLP_TRACE);
      if (answer === undefined) await pause(AFTER_FAILURE_MS);
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
  }, datagramsEveryMs);

  const writers = [
    ...Array.from({ length: XRAY_WRITERS }, writeXray),
    ...Array.from({ length: spansPerSecond > 0 ? OTLP_CONNECTIONS : 0 }, writeOtlp),
  ];
  return {
    sent,
    async stop() {
      isStopped = true;
      clearInterval(bursts);
      await Promise.all(writers);
      if (!isClosed) socket.close();
      isClosed = true;
    },
  };
}

/** The response of 200, parsed where it is JSON; undefined when the server did not accept the request. */
async function post(url: string, contentType: string, body: string | Buffer): Promise<unknown> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: typeof body === 'string' ? body : new Uint8Array(body),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const bytes = await response.arrayBuffer();
    if (!response.ok) return undefined;
    return contentType === 'application/json' ? JSON.parse(Buffer.from(bytes).toString()) : bytes;
  } catch {
    return undefined;
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
