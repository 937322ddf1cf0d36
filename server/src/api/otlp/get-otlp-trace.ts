import { OpenrayError } from '../../errors.ts';
import type { TracesData } from '../../model/otlp-messages.ts';
import { parseTraceId } from '../../model/trace-id.ts';
import { tracesDataOf } from '../../model/traces-data.ts';
import { loadDocuments } from '../../query/traces/load-traces.ts';
import type { Store } from '../../store/store.ts';

/**
 * A whole trace as OTLP/JSON, with every document that was received. Throws InvalidRequestException when `text` is not
 * a trace id, ResourceNotFoundException when the trace has no documents.
 */
export async function getOtlpTrace(store: Store, text: string): Promise<TracesData> {
  const id = parseTraceId(text);
  const documents = (await loadDocuments(store, [id])).get(id);
  if (documents === undefined) throw new OpenrayError('ResourceNotFoundException', `there is no trace ${id}`);
  return tracesDataOf(documents);
}
