import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import type { Store, TableCopy } from '../../store/store.ts';

/** A line of the response of `POST /backup`. */
export type BackupLine =
  | TableCopy
  | { readonly error: { readonly code: OpenrayError['code']; readonly message: string } };

const query = z.object({ name: z.string() });

/**
 * Starts a backup and yields JSON lines of its progress. The caller gives a name and never a path, since the location
 * of backups is a setting. The last line holds `error` when the backup failed on its way. `signal` stops the backup.
 * Rejects when the backup is refused, which is before the first table is copied.
 */
export async function startBackup(
  parameters: unknown,
  store: Pick<Store, 'backUp'>,
  signal: AbortSignal,
): Promise<AsyncIterable<string>> {
  const { success, data } = query.safeParse(parameters);
  if (!success) throw new OpenrayError('InvalidRequestException', 'name: required');
  const copies = store.backUp(data.name, signal)[Symbol.asyncIterator]();
  // Most refusals come before the first copy: they become the status of the response.
  const first = await copies.next();
  return lines(first, copies);
}

async function* lines(first: IteratorResult<TableCopy>, copies: AsyncIterator<TableCopy>) {
  try {
    for (let next = first; !next.done; next = await copies.next()) yield line(next.value);
  } catch (thrown) {
    const { code, message } = thrown as OpenrayError;
    yield line({ error: { code: code ?? 'InternalFailure', message } });
  } finally {
    await copies.return?.();
  }
}

const line = (value: BackupLine) => `${JSON.stringify(value)}\n`;
