import { fileURLToPath } from 'node:url';

/** This file's folder is two below the package's own: in the sources, in what tsc builds, and in the bundle. */
const inPackage = (path: string) => new URL(`../../${path}`, import.meta.url);

export const MANIFEST = inPackage('package.json');
/** The program of the command line. */
export const PROGRAM = fileURLToPath(inPackage('bin/openray.cjs'));
/** The schema, as numbered SQL files. */
export const MIGRATIONS = inPackage('migrations/');
/** openray's own part of each runtime: clients, and classes for AWS's client for Java. */
export const RUNTIMES_DIR = fileURLToPath(inPackage('runtimes'));
/** Files of the console: beside an installed server, and in the repository. */
export const CONSOLE_DIRS: readonly string[] = [inPackage('console'), inPackage('../console/dist')].map((url) =>
  fileURLToPath(url),
);
