import type { Sent } from '../kills/load.ts';

const QUESTION_EVERY_MS = 200;
const LIVE_PAGES = 5;
const WINDOW_SECONDS = 300;
const CALL_TIMEOUT_MS = 60_000;
const RECONNECT_MS = 500;

export type ReaderCounts = {
  /** Answers by question. */
  readonly answers: Map<string, number>;
  /** Questions without an answer, by the status or by the failure of the connection. 503 is expected, others are shown. */
  readonly failures: Map<string, number>;
  readonly answersMs: number[];
  /** Events that live pages received, and connections that they opened. */
  events: number;
  connections: number;
};

/** Asks questions one after the other, and keeps live pages open, until `stop`. */
export function startReaders(url: string, sent: Sent): { readonly counts: ReaderCounts; stop(): Promise<void> } {
  const counts: ReaderCounts = { answers: new Map(), failures: new Map(), answersMs: [], events: 0, connections: 0 };
  const stopped = new AbortController();
  const { signal } = stopped;

  async function ask(): Promise<void> {
    for (let number = 0; !signal.aborted; number++) {
      const questions = questionsAt(Date.now(), sent.lastTraceId);
      const { name, path, body } = questions[number % questions.length] as Question;
      const beganMs = performance.now();
      const failure = await failureOf(`${url}${path}`, body, signal);
      if (failure === undefined) {
        countOne(counts.answers, name);
        counts.answersMs.push(performance.now() - beganMs);
      } else if (!signal.aborted) {
        countOne(counts.failures, failure);
      }
      await pause(QUESTION_EVERY_MS);
    }
  }

  async function watchPage(): Promise<void> {
    while (!signal.aborted) {
      try {
        const response = await fetch(`${url}/events`, { signal });
        counts.connections++;
        for await (const chunk of response.body ?? []) {
          counts.events += Buffer.from(chunk).toString().split('event: stored').length - 1;
        }
      } catch {
        // The server is down, or the soak ends.
      }
      if (!signal.aborted) await pause(RECONNECT_MS);
    }
  }

  const running = [ask(), ...Array.from({ length: LIVE_PAGES }, watchPage)];
  return {
    counts,
    async stop() {
      stopped.abort();
      await Promise.all(running);
    },
  };
}

type Question = { readonly name: string; readonly path: string; readonly body?: object };

function questionsAt(nowMs: number, traceId: string | undefined): readonly Question[] {
  const window = { StartTime: nowMs / 1000 - WINDOW_SECONDS, EndTime: nowMs / 1000 };
  const jaeger = `service=shop&start=${(nowMs - WINDOW_SECONDS * 1000) * 1000}&end=${nowMs * 1000}&limit=20`;
  const id = traceId && `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
  return [
    { name: 'traces', path: '/TraceSummaries', body: window },
    { name: 'filter', path: '/TraceSummaries', body: { ...window, FilterExpression: 'annotation.isGold = true' } },
    { name: 'service map', path: '/ServiceGraph', body: window },
    { name: 'Jaeger’s search', path: `/api/traces?${jaeger}` },
    { name: 'metrics', path: '/metrics' },
    ...(id === undefined ? [] : [{ name: 'trace', path: '/Traces', body: { TraceIds: [id] } }]),
  ];
}

function countOne(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Undefined when the question is answered. */
async function failureOf(url: string, body: object | undefined, signal: AbortSignal): Promise<string | undefined> {
  try {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    const response = await fetch(url, { ...request, signal: limit });
    const text = await response.text();
    if (response.ok) return undefined;
    return response.status === 503 ? 'status 503' : `${new URL(url).pathname} ${response.status} ${text.slice(0, 200)}`;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
    return code ?? (error as Error).name;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
