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
  /** Undefined means the delay of the queue. */
  readonly delayMs?: number | undefined;
  /** In a FIFO queue, messages of one group are received one after the other. */
  readonly groupId?: string | undefined;
  /** In a FIFO queue, a message with the same id within five minutes is dropped. */
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
  /** Receipt handle of this delivery; the handles of earlier deliveries have no effect. */
  readonly receipt: string;
  readonly fifo: FifoPosition | undefined;
};

/** Position of a message in a FIFO queue. */
export type FifoPosition = {
  readonly groupId: string;
  readonly deduplicationId: string;
  /** Twenty digits, increasing. */
  readonly sequenceNumber: string;
};

export type SentMessage = { readonly id: string; readonly bodyMd5: string; readonly fifo: FifoPosition | undefined };

/** A queue of SQS, in memory. A message that is not removed within its visibility timeout is received again. */
export type Queue = {
  readonly spec: QueueSpec;
  /** Changes the settings and keeps the messages. */
  readonly update: (spec: QueueSpec) => void;
  /** Throws InvalidRequestException when a message for a FIFO queue has no group or deduplication id. */
  readonly send: (message: NewMessage) => SentMessage;
  /** Receives up to `max` messages. While there is none, waits up to `waitMs` or until `signal` aborts. */
  readonly receive: (
    max: number,
    options?: { readonly waitMs?: number; readonly visibilityMs?: number; readonly signal?: AbortSignal },
  ) => Promise<readonly QueueMessage[]>;
  readonly remove: (receipt: string) => void;
  /** 0 makes the message available at once. */
  readonly setVisibility: (receipt: string, ms: number) => void;
  /** `available` counts the messages that could be received now. */
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

/** `onDead` receives messages that were received more often than the redrive policy allows. */
export function openQueue(opened: QueueSpec, onDead: (message: NewMessage, spec: QueueSpec) => void): Queue {
  let spec = opened;
  const messages: StoredMessage[] = [];
  const recent = new Map<string, { readonly sent: SentMessage; readonly untilMs: number }>();
  let sequence = 0;
  const waiters = new Set<() => void>();
  const wake = () => {
    for (const waiter of [...waiters]) waiter();
  };
  const messageOf = (receipt: string) => messages.find((message) => message.receipt === receipt);

  /** Messages that may be received now. One that is in flight or delayed blocks the later messages of its group. */
  function available(nowMs: number): readonly StoredMessage[] {
    const blocked = new Set<string>();
    return messages.filter(({ visibleMs, fifo }) => {
      const isVisible = visibleMs <= nowMs;
      if (fifo === undefined) return isVisible;
      if (!isVisible) blocked.add(fifo.groupId);
      return !blocked.has(fifo.groupId);
    });
  }

  function receiveVisible(max: number, visibilityMs: number, nowMs: number): readonly QueueMessage[] {
    const received: QueueMessage[] = [];
    for (const message of available(nowMs)) {
      if (received.length === max) break;
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
      received.push({
        id,
        body,
        bodyMd5,
        attributes,
        traceHeader,
        sentMs,
        firstReceivedMs,
        receiveCount,
        receipt,
        fifo,
      });
    }
    return received;
  }

  /** Resolves when a message is sent or released, or becomes visible after `nowMs`; at `untilMs` at the latest. */
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

  function positionOf(message: NewMessage): FifoPosition | undefined {
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

  /** Result of the same message within the last five minutes. */
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
      const fifo = positionOf(message);
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
        const received = signal?.aborted ? [] : receiveVisible(max, visibilityMs, nowMs);
        if (received.length > 0 || signal?.aborted || nowMs >= untilMs) return received;
        await change(nowMs, untilMs, signal);
      }
    },
    remove(receipt) {
      const message = messageOf(receipt);
      if (message === undefined) return;
      messages.splice(messages.indexOf(message), 1);
      if (message.fifo !== undefined) wake();
    },
    setVisibility(receipt, ms) {
      const message = messageOf(receipt);
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

/** Names as in the API and in events. */
export function fifoAttributes({ groupId, deduplicationId, sequenceNumber }: FifoPosition) {
  return { MessageGroupId: groupId, MessageDeduplicationId: deduplicationId, SequenceNumber: sequenceNumber };
}
