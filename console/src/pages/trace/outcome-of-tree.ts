import type { Outcome } from 'openray/model';
import type { TraceTree } from './entities.ts';

const RANK: Readonly<Record<Outcome, number>> = { ok: 0, error: 1, throttle: 2, fault: 3 };

/** The worst outcome of a trace; `note` is set where the root has another outcome. */
export function outcomeOfTree(tree: TraceTree): { readonly worst: Outcome; readonly note: string | undefined } {
  let worst: Outcome = 'ok';
  for (const { outcome } of tree.byId.values()) if (RANK[outcome] > RANK[worst]) worst = outcome;
  const root = tree.roots.find(({ kind }) => kind === 'segment');
  return { worst, note: root && root.outcome !== worst ? 'inside' : undefined };
}
