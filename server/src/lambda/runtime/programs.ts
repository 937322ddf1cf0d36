import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';

/** The file of a program on the PATH; undefined when there is none that runs. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined;
  const folders = (path ?? '').split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file) && !isEmptyShim(file));
}

/** By path of a shim: whether no program is behind it. Kept, since a probe starts a process. */
const emptyShims = new Map<string, boolean>();

/** Version managers (pyenv, asdf, mise) put a shim of every installed version on the PATH; only some run here. */
function isEmptyShim(file: string): boolean {
  if (basename(dirname(file)) !== 'shims') return false;
  const known = emptyShims.get(file);
  if (known !== undefined) return known;
  const isEmpty = spawnSync(file, ['--version'], { stdio: 'ignore', timeout: 5000 }).status !== 0;
  emptyShims.set(file, isEmpty);
  return isEmpty;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
