import { formatTraceId } from '../../model/trace-id.ts';
import type { FunctionLogEvent } from './function-log-event.ts';

/** Takes what functions print to openray, beside their traces. Never fails, and never holds a function up. */
export type LogSender = {
  readonly add: (line: FunctionLogEvent) => void;
  /** Sends what waits, then takes no more. */
  readonly close: () => Promise<void>;
};

const SEND_AFTER_MS = 50;
const BATCH_CHARS = 512 * 1024;
const BATCH_EVENTS = 1000;
/** A function that prints without end loses lines here, not memory. */
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
      while (waiting.length > 0) await send(url, takeBatch());
    });
    return sending;
  }

  function takeBatch(): readonly object[] {
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
    add(line) {
      const chars = line.text.length;
      if (waitingChars + chars > WAITING_CHARS) return;
      // No two events of one moment: their order is their time.
      lastUs = Math.max(line.atUs, lastUs + 1);
      waiting.push({ event: wireEvent(line, lastUs), chars });
      waitingChars += chars;
      timer ??= setTimeout(() => void sendAll(), SEND_AFTER_MS).unref();
    },
    async close() {
      await sendAll();
      waiting = [];
    },
  };
}

function wireEvent({ trace, ...line }: FunctionLogEvent, atUs: number): object {
  return {
    FunctionName: line.functionName,
    AtUs: atUs,
    TraceId: trace === undefined ? null : formatTraceId(trace.traceId),
    RequestId: line.requestId ?? null,
    LogGroup: line.logGroup,
    LogStream: line.logStream,
    Source: line.source,
    Text: line.text,
  };
}

async function send(url: URL, events: readonly object[]): Promise<void> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body: JSON.stringify({ Events: events }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.arrayBuffer();
  } catch {
    // Nobody listens: the lines were printed, and are not kept.
  }
}
