import { connect } from 'node:net';

/** Source of a telemetry event; extensions subscribe to kinds. */
export type TelemetryKind = 'platform' | 'function' | 'extension';

export type TelemetryEvent = {
  readonly kind: TelemetryKind;
  /** ISO 8601 with milliseconds. */
  readonly time: string;
  readonly type: string;
  readonly record: unknown;
};

export type Destination =
  | { readonly protocol: 'HTTP'; readonly url: URL }
  | { readonly protocol: 'TCP'; readonly port: number };

export type Subscription = {
  readonly kinds: readonly TelemetryKind[];
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly destination: Destination;
};

/**
 * Delivers the events of one environment to its extensions, in order and in batches. A new subscriber also gets the
 * first 1000 events before its subscription. Never fails: an extension that does not listen loses its events.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html
 */
export type Telemetry = {
  readonly emit: (event: TelemetryEvent) => void;
  readonly subscribe: (subscription: Subscription) => void;
  /** Ends the subscriptions: no event is kept for replay any more. */
  readonly seal: () => void;
  /** Sends the waiting events; resolves when they are delivered or lost. */
  readonly flush: () => Promise<void>;
};

const REPLAY_MAX = 1000;
const DELIVERY_TIMEOUT_MS = 2000;

export function openTelemetry(): Telemetry {
  const subscribers: Subscriber[] = [];
  let replay: TelemetryEvent[] | undefined = [];
  return {
    emit(event) {
      if (replay !== undefined && replay.length < REPLAY_MAX) replay.push(event);
      for (const subscriber of subscribers) subscriber.push(event);
    },
    subscribe(subscription) {
      const subscriber = openSubscriber(subscription);
      subscribers.push(subscriber);
      for (const event of replay ?? []) subscriber.push(event);
    },
    seal() {
      replay = undefined;
    },
    async flush() {
      await Promise.all(subscribers.map((subscriber) => subscriber.flush()));
    },
  };
}

type Subscriber = { readonly push: (event: TelemetryEvent) => void; readonly flush: () => Promise<void> };

function openSubscriber({ kinds, maxItems, maxBytes, timeoutMs, destination }: Subscription): Subscriber {
  let waiting: string[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let sent: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return sent;
    const batch = waiting;
    waiting = [];
    bytes = 0;
    sent = sent.then(() => deliver(batch, destination).catch(() => {}));
    return sent;
  };
  return {
    push({ kind, ...frame }) {
      if (!kinds.includes(kind)) return;
      const text = JSON.stringify(frame);
      waiting.push(text);
      bytes += Buffer.byteLength(text);
      if (waiting.length >= maxItems || bytes >= maxBytes) void flush();
      else timer ??= setTimeout(() => void flush(), timeoutMs).unref();
    },
    flush,
  };
}

async function deliver(batch: readonly string[], destination: Destination): Promise<void> {
  switch (destination.protocol) {
    case 'HTTP':
      await fetch(destination.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `[${batch.join(',')}]`,
        signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
      });
      return;
    case 'TCP':
      await new Promise<void>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: destination.port });
        socket.setTimeout(DELIVERY_TIMEOUT_MS, () => socket.destroy());
        socket.on('error', reject);
        socket.on('close', () => resolve());
        socket.end(batch.map((text) => `${text}\n`).join(''));
      });
  }
}
