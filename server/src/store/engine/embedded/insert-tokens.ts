import { open, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { quote } from '../parameters.ts';

/**
 * The engine writes the token of an insert before it gives the part its name. A process that is killed between these two
 * steps leaves a token without its rows. So does a part with unfinished files, which the next process sets aside. The
 * engine would ignore the retry of such an insert, and its rows would never be stored.
 */

/** Runs a statement. The result is in TabSeparated. */
type Run = (statement: string) => Promise<string>;

type LogFile = { readonly name: string; readonly text: string };

/**
 * Removes the tokens without a part from all tables in `directory`, the engine's. To be called before the first insert.
 * Costs 3 ms of CPU when there are none.
 */
export async function removeLostTokens(run: Run, directory: string): Promise<void> {
  // Of all loaded tables: the query waits until damaged parts are set aside.
  const paths = (await run('SELECT path FROM system.parts')).split('\n').filter((path) => path !== '');
  for (const folder of await tableFolders(join(directory, 'store'))) {
    // By the id of the table: the engine may write the path before it in another way.
    const parts = paths.filter((path) => basename(dirname(path)) === basename(folder)).map((path) => basename(path));
    const changed = withoutLostTokens(await readLog(folder), parts);
    if (changed.length > 0) await replaceLog(run, folder, changed);
  }
}

/** `store/ac0/ac07f323-d28f-4351-af02-0bde36df4664`, one for each table. */
async function tableFolders(store: string): Promise<readonly string[]> {
  const groups = await readdir(store).catch(() => []);
  const folders = groups.map(async (group) => {
    const names = await readdir(join(store, group)).catch(() => []);
    return names.map((name) => join(store, group, name));
  });
  return (await Promise.all(folders)).flat();
}

/** The files of a log that change, with the lines that stay: whole ones, and not those of tokens without a part. */
export function withoutLostTokens(files: readonly LogFile[], parts: readonly string[]): readonly LogFile[] {
  const present = parts.flatMap((name) => partOf(name) ?? []);
  const isPresent = (name: string) => {
    const part = partOf(name);
    // Merges and mutations make a part that covers the numbers of the earlier ones.
    return part !== undefined && present.some((other) => covers(other, part));
  };
  const lines = files.map(({ text }) => text.split('\n'));
  // The number of a part that was lost is given again: the last token of a name is of the part that exists.
  const lastOf = new Map(lines.flat().flatMap((line) => (isAdded(line) ? [[nameIn(line), line]] : [])));
  return files.flatMap(({ name, text }, index) => {
    const wholeLines = lines[index]?.slice(0, -1) ?? [];
    const kept = wholeLines.filter(
      (line) => ENTRY.test(line) && (!isAdded(line) || (lastOf.get(nameIn(line)) === line && isPresent(nameIn(line)))),
    );
    const keptText = kept.map((line) => `${line}\n`).join('');
    return keptText === text ? [] : [{ name, text: keptText }];
  });
}

/** `1`, when a part was added, or `2`, when it was dropped; the name of the part; the token. */
const ENTRY = /^[12]\t[^\t]+\t[^\t]+$/;
const isAdded = (line: string): boolean => line.startsWith('1') && ENTRY.test(line);
const nameIn = (line: string): string => line.split('\t')[1] ?? '';

type PartNumbers = { readonly partition: string; readonly first: number; readonly last: number };

function partOf(name: string): PartNumbers | undefined {
  const [, partition, first, last] = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/.exec(name) ?? [];
  return partition === undefined ? undefined : { partition, first: Number(first), last: Number(last) };
}

const covers = (part: PartNumbers, other: PartNumbers): boolean =>
  part.partition === other.partition && part.first <= other.first && part.last >= other.last;

/** In the order in which the engine wrote them; none for a table without tokens. */
async function readLog(folder: string): Promise<readonly LogFile[]> {
  const log = logOf(folder);
  const names = (await readdir(log).catch(() => [])).sort((one, other) => numberIn(one) - numberIn(other));
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(log, name), 'utf8') })));
}

const logOf = (folder: string): string => join(folder, 'deduplication_logs');
const numberIn = (name: string): number => Number(/\d+/.exec(name)?.[0]);

/** The engine reads the log of a table when it attaches the table. A start attaches a table that was left detached. */
async function replaceLog(run: Run, folder: string, files: readonly LogFile[]): Promise<void> {
  const uuid = quote(basename(folder));
  const table = (await run(`SELECT database || '.' || name FROM system.tables WHERE toString(uuid) = ${uuid}`)).trim();
  // The folder of a table that was dropped is removed some minutes later.
  if (table === '') return;
  await run(`DETACH TABLE ${table}`);
  for (const { name, text } of files) await shorten(join(logOf(folder), name), text);
  await run(`ATTACH TABLE ${table}`);
}

/** In place, which needs no space on a full disk. After a crash before `truncate` the next start removes the rest. */
async function shorten(path: string, text: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.writeFile(text);
    await file.truncate(Buffer.byteLength(text));
  } finally {
    await file.close();
  }
}
