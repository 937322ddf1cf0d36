import { createHash, randomUUID } from 'node:crypto';
import { OpenrayError } from '../../errors.ts';
import type { JsonObject } from '../../model/json.ts';
import type { QueueSpec } from '../spec/services.ts';

export type NewMessage = {
  readonly body: string;
  /** As the API has them: `{ DataType, StringValue }` by name. */
  readonly attributes?: JsonObject;
  /** The producer's `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string | undefined;
  /** Undefined means as long as the queue says. */
  readonly delayMs?: number | undefined;
  /** In a FIFO queue: messages of one group come one after the other. */
  readonly groupId?: string | undefined;
  /** In a FIFO queue: the same again within five minutes is not taken twice. */
  readonly deduplicationId?: string | undefined;
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
  readonly fifo: FifoPosition | undefined;
};

/** Where a message stands in a FIFO queue. */
export type FifoPosition = {
  readonly groupId: string;
  readonly deduplicationId: string;
  /** Twenty digits, rising. */
  readonly sequenceNumber: string;
};

export type SentMessage = { readonly id: string; readonly bodyMd5: string; readonly fifo: FifoPosition | undefined };

/** A queue of SQS, in memory: a message that was received and not removed in time comes again. */
export type Queue = {
  readonly spec: QueueSpec;
  /** Its messages stay. */
  readonly update: (spec: QueueSpec) => void;
  /** Throws InvalidRequestException when a FIFO queue needs what the message does not have. */
  readonly send: (message: NewMessage) => SentMessage;
  /** Up to `max` messages; waits as long as there is none, at most `waitMs` or until `signal` fires. */
  readonly receive: (
    max: number,
    options?: { readonly waitMs?: number; readonly visibilityMs?: number; readonly signal?: AbortSignal },
  ) => Promise<readonly QueueMessage[]>;
  readonly remove: (receipt: string) => void;
  /** 0 makes the message available at once. */
  readonly setVisibility: (receipt: string, ms: number) => void;
  /** `available` is what could be received now. */
  readonly counts: () => { readonly visible: number; readonly inFlight: number; readonly available: number };
  readonly purge: () => void;
};

type StoredMessage = {
  readonly id: string;
  readonly sent: NewMessage;
  readonly bodyMd5: string;
  readonly sentMs: number;
  visibleMs: number;
  firstReceivedMs: number;
  receiveCount: number;
  receipt: string | undefined;
  readonly fifo: FifoPosition | undefined;
};

const DEDUPLICATION_MS = 5 * 60 * 1000;

/** `onDead` gets what was received more often than the redrive policy allows. */
export function openQueue(opened: QueueSpec, onDead: (message: NewMessage, spec: QueueSpec) => void): Queue {
  let spec = opened;
  const messages: StoredMessage[] = [];
  const recent = new Map<string, { readonly sent: SentMessage; readonly untilMs: number }>();
  let sequence = 0;
  const waiters = new Set<() => void>();
  const wake = () => {
    for (const waiter of [...waiters]) waiter();
  };
  const held = (receipt: string) => messages.find((message) => message.receipt === receipt);

  /** What may be received now: of a group in which a message is with somebody, or waits, nothing behind that. */
  function available(nowMs: number): readonly StoredMessage[] {
    const blocked = new Set<string>();
    return messages.filter(({ visibleMs, fifo }) => {
      const isVisible = visibleMs <= nowMs;
      if (fifo === undefined) return isVisible;
      if (!isVisible) blocked.add(fifo.groupId);
      return !blocked.has(fifo.groupId);
    });
  }

  function take(max: number, visibilityMs: number, nowMs: number): readonly QueueMessage[] {
    const taken: QueueMessage[] = [];
    for (const message of available(nowMs)) {
      if (taken.length === max) break;
      if (spec.redrive !== undefined && message.receiveCount >= spec.redrive.maxReceiveCount) {
        messages.splice(messages.indexOf(message), 1);
        onDead(message.sent, spec);
        continue;
      }
      message.receiveCount++;
      message.firstReceivedMs ||= nowMs;
      message.visibleMs = nowMs + visibilityMs;
      message.receipt = randomUUID();
      const { id, sent, bodyMd5, sentMs, firstReceivedMs, receiveCount, receipt, fifo } = message;
      const { body, attributes = {}, traceHeader } = sent;
      taken.push({ id, body, bodyMd5, attributes, traceHeader, sentMs, firstReceivedMs, receiveCount, receipt, fifo });
    }
    return taken;
  }

  /** Resolves when something was sent or given back, has become visible since `nowMs`, or the time is over. */
  function change(nowMs: number, untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const later = messages.map(({ visibleMs }) => visibleMs).filter((ms) => ms > nowMs);
      const nextMs = Math.min(untilMs, ...later);
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

  function placeOf(message: NewMessage): FifoPosition | undefined {
    if (!spec.isFifo) return undefined;
    const { groupId, body } = message;
    if (groupId === undefined) throw invalidMessage('The request must contain the parameter MessageGroupId.');
    const deduplicationId =
      message.deduplicationId ??
      (spec.deduplicatesByContent ? createHash('sha256').update(body).digest('hex') : undefined);
    if (deduplicationId === undefined) {
      throw invalidMessage(
        'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided',
      );
    }
    return { groupId, deduplicationId, sequenceNumber: String(++sequence).padStart(20, '0') };
  }

  /** What the same message was answered before, while that counts. */
  function duplicateOf(fifo: FifoPosition, nowMs: number): SentMessage | undefined {
    for (const [id, { untilMs }] of recent) if (untilMs <= nowMs) recent.delete(id);
    return recent.get(fifo.deduplicationId)?.sent;
  }

  return {
    get spec() {
      return spec;
    },
    update(next) {
      spec = next;
    },
    send(message) {
      const nowMs = Date.now();
      const fifo = placeOf(message);
      const duplicate = fifo && duplicateOf(fifo, nowMs);
      if (duplicate !== undefined) return duplicate;
      const bodyMd5 = createHash('md5').update(message.body).digest('hex');
      const sent: SentMessage = { id: randomUUID(), bodyMd5, fifo };
      if (fifo) recent.set(fifo.deduplicationId, { sent, untilMs: nowMs + DEDUPLICATION_MS });
      messages.push({
        ...sent,
        sent: message,
        sentMs: nowMs,
        visibleMs: nowMs + (message.delayMs ?? spec.delayMs),
        firstReceivedMs: 0,
        receiveCount: 0,
        receipt: undefined,
      });
      wake();
      return sent;
    },
    async receive(max, { waitMs = 0, visibilityMs = spec.visibilityTimeoutMs, signal } = {}) {
      const untilMs = Date.now() + waitMs;
      for (;;) {
        const nowMs = Date.now();
        const taken = signal?.aborted ? [] : take(max, visibilityMs, nowMs);
        if (taken.length > 0 || signal?.aborted || nowMs >= untilMs) return taken;
        await change(nowMs, untilMs, signal);
      }
    },
    remove(receipt) {
      const message = held(receipt);
      if (message === undefined) return;
      messages.splice(messages.indexOf(message), 1);
      if (message.fifo !== undefined) wake();
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
      return { visible, inFlight: messages.length - visible, available: available(nowMs).length };
    },
    purge() {
      messages.length = 0;
    },
  };
}

function invalidMessage(message: string): OpenrayError {
  return new OpenrayError('InvalidRequestException', message);
}

/** As the API and events name them. */
export function fifoAttributes({ groupId, deduplicationId, sequenceNumber }: FifoPosition) {
  return { MessageGroupId: groupId, MessageDeduplicationId: deduplicationId, SequenceNumber: sequenceNumber };
}
