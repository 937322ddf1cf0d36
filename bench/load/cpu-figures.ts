import type { Figure } from '../figures.ts';
import type { CpuParts } from './process-usage.ts';

const PARTS: Readonly<Record<keyof CpuParts, string>> = {
  javascript: 'the main thread: sockets, parsing, rows',
  inserts: 'the engine’s inserts and queries, garbage',
  merges: 'the engine’s merges',
};

/** What a span costs in each part of the server while it takes them: which step is the dearest. */
export function* partFigures(door: string, what: string, spans: number, parts: CpuParts): Generator<Figure> {
  for (const part of ['javascript', 'inserts', 'merges'] as const) {
    yield {
      name: `${door}-${part}`,
      description: `${what}: of its CPU, ${PARTS[part]}`,
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
