import { createHash, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../model/json.ts';
import type { QueueSpec } from './service-specs.ts';

export type NewMessage = {
  readonly body: string;
  /** As the API has them: `{ DataType, StringValue }` by name. */
  readonly attributes?: JsonObject;
  /** The producer's `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string | undefined;
  readonly delayMs?: number;
};

export type QueueMessage = {
  readonly id: string;
  readonly body: string;
  readonly bodyMd5: string;
  readonly attributes: JsonObject;
  readonly traceHeader: string | undefined;
  readonly sentMs: number;
  readonly firstReceivedMs: number;
  readonly receiveCount: number;
  /** Of this delivery; an older one has no effect. */
  readonly receipt: string;
};

/** A queue of SQS, in memory: a message that was received and not removed in time comes again. */
export type Queue = {
  readonly spec: QueueSpec;
  readonly send: (message: NewMessage) => { readonly id: string; readonly bodyMd5: string };
  /** Up to `max` messages; waits as long as there is none, at most `waitMs` or until `signal` fires. */
  readonly receive: (
    max: number,
    options?: { readonly waitMs?: number; readonly visibilityMs?: number; readonly signal?: AbortSignal },
  ) => Promise<readonly QueueMessage[]>;
  readonly remove: (receipt: string) => void;
  /** 0 makes the message available at once. */
  readonly setVisibility: (receipt: string, ms: number) => void;
  readonly counts: () => { readonly visible: number; readonly inFlight: number };
  readonly purge: () => void;
};

type Held = {
  readonly id: string;
  readonly sent: NewMessage;
  readonly bodyMd5: string;
  readonly sentMs: number;
  visibleMs: number;
  firstReceivedMs: number;
  receiveCount: number;
  receipt: string | undefined;
};

/** `onDead` gets what was received more often than the redrive policy allows. */
export function openQueue(spec: QueueSpec, onDead: (message: NewMessage) => void): Queue {
  const messages: Held[] = [];
  const waiters = new Set<() => void>();
  const wake = () => {
    for (const waiter of [...waiters]) waiter();
  };
  const held = (receipt: string) => messages.find((message) => message.receipt === receipt);

  function take(max: number, visibilityMs: number): readonly QueueMessage[] {
    const nowMs = Date.now();
    const taken: QueueMessage[] = [];
    for (const message of [...messages]) {
      if (taken.length === max || message.visibleMs > nowMs) continue;
      if (spec.redrive !== undefined && message.receiveCount >= spec.redrive.maxReceiveCount) {
        messages.splice(messages.indexOf(message), 1);
        onDead(message.sent);
        continue;
      }
      message.receiveCount++;
      message.firstReceivedMs ||= nowMs;
      message.visibleMs = nowMs + visibilityMs;
      message.receipt = randomUUID();
      const { id, sent, bodyMd5, sentMs, firstReceivedMs, receiveCount, receipt } = message;
      const { body, attributes = {}, traceHeader } = sent;
      taken.push({ id, body, bodyMd5, attributes, traceHeader, sentMs, firstReceivedMs, receiveCount, receipt });
    }
    return taken;
  }

  /** Resolves when something was sent or given back, or may have become visible, or the time is over. */
  function change(untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const nextMs = Math.min(untilMs, ...messages.map(({ visibleMs }) => visibleMs));
      const finish = () => {
        clearTimeout(timer);
        waiters.delete(finish);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = Number.isFinite(nextMs)
        ? setTimeout(finish, Math.min(Math.max(0, nextMs - Date.now()), 60_000)).unref()
        : undefined;
      waiters.add(finish);
      signal?.addEventListener('abort', finish, { once: true });
    });
  }

  return {
    spec,
    send(sent) {
      const nowMs = Date.now();
      const id = randomUUID();
      const bodyMd5 = createHash('md5').update(sent.body).digest('hex');
      const visibleMs = nowMs + (sent.delayMs ?? 0);
      messages.push({
        id,
        sent,
        bodyMd5,
        sentMs: nowMs,
        visibleMs,
        firstReceivedMs: 0,
        receiveCount: 0,
        receipt: undefined,
      });
      wake();
      return { id, bodyMd5 };
    },
    async receive(max, { waitMs = 0, visibilityMs = spec.visibilityTimeoutMs, signal } = {}) {
      const untilMs = Date.now() + waitMs;
      for (;;) {
        const taken = take(max, visibilityMs);
        if (taken.length > 0 || signal?.aborted || Date.now() >= untilMs) return taken;
        await change(untilMs, signal);
      }
    },
    remove(receipt) {
      const message = held(receipt);
      if (message !== undefined) messages.splice(messages.indexOf(message), 1);
    },
    setVisibility(receipt, ms) {
      const message = held(receipt);
      if (message === undefined) return;
      message.visibleMs = Date.now() + ms;
      wake();
    },
    counts() {
      const nowMs = Date.now();
      const visible = messages.filter(({ visibleMs }) => visibleMs <= nowMs).length;
      return { visible, inFlight: messages.length - visible };
    },
    purge() {
      messages.length = 0;
    },
  };
}
