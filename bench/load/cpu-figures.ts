import type { Figure } from './figure.ts';
import type { CpuParts } from './process-usage.ts';

const PARTS: Readonly<Record<keyof CpuParts, string>> = {
  javascript: 'the main thread: sockets, parsing, rows',
  inserts: 'inserts, queries and garbage collection',
  merges: 'merges',
};

/** CPU time of a span in each part of the server during ingest: shows the most expensive part. */
export function* partFigures(receiver: string, description: string, spans: number, parts: CpuParts): Generator<Figure> {
  for (const part of ['javascript', 'inserts', 'merges'] as const) {
    yield {
      name: `${receiver}-${part}`,
      description: `${description}, CPU of ${PARTS[part]}`,
      unit: 'us/span',
      value: (parts[part] / spans) * 1e6,
    };
  }
}

export function addParts(a: CpuParts, b: CpuParts, sign: 1 | -1 = 1): CpuParts {
  return {
    javascript: a.javascript + sign * b.javascript,
    inserts: a.inserts + sign * b.inserts,
    merges: a.merges + sign * b.merges,
  };
}
