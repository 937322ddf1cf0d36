import { formatTraceId } from '../../model/trace-id.ts';
import type { FunctionLogEvent } from './function-log-event.ts';

/** Sends the log events of functions to openray. Never throws, and never delays a function. */
export type LogSender = {
  readonly add: (event: FunctionLogEvent) => void;
  /** Sends the waiting events. */
  readonly close: () => Promise<void>;
};

const SEND_AFTER_MS = 50;
const BATCH_CHARS = 512 * 1024;
const BATCH_EVENTS = 1000;
/** Events over this bound are dropped, so that a function that prints without end costs bounded memory. */
const WAITING_CHARS = 8 * 1024 * 1024;
const TIMEOUT_MS = 5000;

export function openLogSender(endpointUrl: string): LogSender {
  const url = new URL('/FunctionLogs', endpointUrl);
  let waiting: { readonly event: object; readonly chars: number }[] = [];
  let waitingChars = 0;
  let lastUs = 0;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> = Promise.resolve();

  function sendAll(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    sending = sending.then(async () => {
      while (waiting.length > 0) await send(url, nextBatch());
    });
    return sending;
  }

  function nextBatch(): readonly object[] {
    let chars = 0;
    let count = 0;
    while (count < waiting.length && count < BATCH_EVENTS && chars < BATCH_CHARS) {
      chars += waiting[count]?.chars ?? 0;
      count++;
    }
    waitingChars -= chars;
    return waiting.splice(0, count).map(({ event }) => event);
  }

  return {
    add(event) {
      const chars = event.text.length;
      if (waitingChars + chars > WAITING_CHARS) return;
      // Readers order events by time, so each gets a time of its own.
      lastUs = Math.max(event.atUs, lastUs + 1);
      waiting.push({ event: wireEvent(event, lastUs), chars });
      waitingChars += chars;
      timer ??= setTimeout(() => void sendAll(), SEND_AFTER_MS).unref();
    },
    async close() {
      await sendAll();
      waiting = [];
    },
  };
}

function wireEvent({ trace, ...event }: FunctionLogEvent, atUs: number): object {
  return {
    FunctionName: event.functionName,
    AtUs: atUs,
    TraceId: trace === undefined ? null : formatTraceId(trace.traceId),
    RequestId: event.requestId ?? null,
    LogGroup: event.logGroup,
    LogStream: event.logStream,
    Source: event.source,
    Text: event.text,
  };
}

async function send(url: URL, events: readonly object[]): Promise<void> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify({ Events: events }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.arrayBuffer();
  } catch {
    // No server listens: the events were printed already, and are dropped.
  }
}
