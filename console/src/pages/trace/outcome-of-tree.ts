import { type Outcome, worstOutcome } from 'openray/model';
import { outcomeNote } from '../../shared/outcome.ts';
import { rootOf, type TraceTree } from './entities.ts';

/** The worst outcome of a trace; `note` is set where the root has another outcome. */
export function outcomeOfTree(tree: TraceTree): { readonly worst: Outcome; readonly note: string | undefined } {
  const worst = worstOutcome(tree.byId.values());
  return { worst, note: outcomeNote(worst, rootOf(tree)?.outcome) };
}
