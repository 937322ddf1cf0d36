import { OpenrayError } from '../../errors.ts';
import type { TracesData } from '../../model/otlp-messages.ts';
import { parseTraceId } from '../../model/trace-id.ts';
import { tracesDataOf } from '../../model/traces-data.ts';
import { loadDocuments } from '../../query/traces/load-traces.ts';
import type { Store } from '../../store/store.ts';

/**
 * A whole trace as OTLP/JSON, with every document that was received; the first part of a trace that is too large, and
 * then calls `onIncomplete`. Throws InvalidRequestException when `text` is not
 * a trace id, ResourceNotFoundException when the trace has no documents.
 */
export async function getOtlpTrace(store: Store, text: string, onIncomplete: () => void): Promise<TracesData> {
  const id = parseTraceId(text);
  const loaded = await loadDocuments(store, id);
  if (loaded === undefined) throw new OpenrayError('ResourceNotFoundException', `there is no trace ${id}`);
  if (loaded.firstPart !== undefined) onIncomplete();
  return tracesDataOf(loaded.documents);
}
