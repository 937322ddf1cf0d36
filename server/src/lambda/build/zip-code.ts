import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, statSync } from 'node:fs';
import { mkdir, realpath, symlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { OpenrayError } from '../../errors.ts';
import { writeFolderAtomically } from './folders.ts';

/** Lambda's own bound of unpacked code. */
const BYTES_MAX = 250 * 1024 * 1024;
const ENTRIES_MAX = 50_000;
const LINK_MAX_BYTES = 4096;

/**
 * Unpacks a function's zip file into a folder named by the file, its time and its size, as `sam local` does. Throws
 * SettingInvalid when the file is not a valid zip file, or is too large.
 */
export async function unpackZip(file: string, logicalId: string, cacheDir: string): Promise<string> {
  const { mtimeMs, size } = statSync(file);
  const hash = createHash('sha256').update(`${file} ${mtimeMs} ${size}`).digest('hex').slice(0, 16);
  const target = join(cacheDir, `${logicalId}-${hash}`);
  if (existsSync(target)) return target;
  try {
    await writeFolderAtomically(target, (dir) => unpackInto(dir, file));
  } catch (cause) {
    const sentence = `${logicalId}: its code ${file} cannot be unpacked: ${(cause as Error).message}`;
    throw new OpenrayError('SettingInvalid', sentence, { cause });
  }
  return target;
}

async function unpackInto(dir: string, file: string): Promise<void> {
  const zip = await openPromise(file);
  if (zip.entryCount > ENTRIES_MAX) {
    zip.close();
    throw new RangeError(`it has more than ${ENTRIES_MAX} files`);
  }
  const links: (readonly [path: string, target: string])[] = [];
  let bytes = 0;
  // Names that lead out of the folder end the loop with an error of the library, as do sizes that are not true.
  for await (const entry of zip.eachEntry()) {
    bytes += entry.uncompressedSize;
    if (bytes > BYTES_MAX) throw new RangeError(`it has more than the ${BYTES_MAX} bytes that Lambda allows`);
    const path = join(dir, entry.fileName);
    if (entry.fileName.endsWith('/')) await mkdir(path, { recursive: true });
    else if (isLink(entry)) links.push([path, await linkTarget(zip, entry)]);
    else {
      await mkdir(dirname(path), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { mode: permissionsOf(entry) }));
    }
  }
  // At the end: no file is written by way of a link.
  for (const [path, target] of links) await writeLink(await realpath(dir), path, target);
}

/** The upper half of the attributes is the mode of Unix; 0 where the packer has none. */
function modeOf({ externalFileAttributes }: Entry): number {
  return externalFileAttributes >>> 16;
}

function isLink(entry: Entry): boolean {
  return (modeOf(entry) & 0o170000) === 0o120000;
}

function permissionsOf(entry: Entry): number {
  return (modeOf(entry) & 0o777) | 0o600;
}

async function linkTarget(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.uncompressedSize > LINK_MAX_BYTES) throw new RangeError(`its link ${entry.fileName} is too long`);
  return (await buffer(await zip.openReadStreamPromise(entry))).toString();
}

async function writeLink(root: string, path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const folder = await realpath(dirname(path));
  const leadsTo = resolve(folder, target);
  if (![folder, leadsTo].every((each) => `${each}${sep}`.startsWith(`${root}${sep}`))) {
    throw new RangeError(`its link to ${target.slice(0, 100)} leads out of the code`);
  }
  await symlink(target, path);
}
