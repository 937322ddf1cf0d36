import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

/** A Java installation: a JDK, or a JRE, which runs functions too. */
export type Jdk = {
  /** The folder that `JAVA_HOME` names. */
  readonly home: string;
  /** The feature version, such as 21. */
  readonly version: number;
};

/** Where installers and version managers put JDKs. */
function usualFolders({ HOME }: Variables): readonly string[] {
  const inHome = ['.sdkman/candidates/java', '.asdf/installs/java', '.local/share/mise/installs/java', '.jdks'];
  return [
    '/usr/lib/jvm',
    '/Library/Java/JavaVirtualMachines',
    '/opt/homebrew/opt',
    ...(HOME === undefined ? [] : [...inHome, 'Library/Java/JavaVirtualMachines'].map((folder) => join(HOME, folder))),
  ];
}

/**
 * The Java that runs code of version `wanted`: `JAVA_HOME`, else `java` on the PATH, else the oldest of the usual
 * folders; each only if it is at least that version. `found` is the user's own Java when it is too old.
 */
export function findJdk(
  wanted: number,
  variables: Variables,
  folders: readonly string[] = usualFolders(variables),
): { readonly jdk: Jdk | undefined; readonly found: Jdk | undefined } {
  const chosen = [variables.JAVA_HOME, homeOnPath(variables.PATH)].flatMap(jdkIn);
  const jdk =
    chosen.find(({ version }) => version >= wanted) ??
    folders
      .flatMap(entriesOf)
      .flatMap(jdkIn)
      .filter(({ version }) => version >= wanted)
      .sort((a, b) => a.version - b.version)[0];
  return { jdk, found: jdk === undefined ? chosen[0] : undefined };
}

/** The tool of the JDK in `JAVA_HOME`, else the one on the PATH. */
export function jdkTool(name: string, { JAVA_HOME }: Variables): string {
  const inHome = JAVA_HOME && join(JAVA_HOME, 'bin', name);
  return inHome && existsSync(inHome) ? inHome : name;
}

function homeOnPath(path = ''): string | undefined {
  const program = path
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, 'java'))
    .find((file) => existsSync(file));
  return program === undefined ? undefined : dirname(dirname(realpathSync(program)));
}

/** Empty when there is no `java` in the folder. On macOS the home is inside a bundle. */
function jdkIn(folder: string | undefined): readonly Jdk[] {
  if (!folder) return [];
  const inside = ['Contents/Home', 'libexec/openjdk.jdk/Contents/Home'].map((path) => join(folder, path));
  const home = [...inside, folder].find((path) => existsSync(join(path, 'bin', 'java')));
  const version = home === undefined ? undefined : (releaseVersion(home) ?? printedVersion(join(home, 'bin', 'java')));
  return home === undefined || version === undefined ? [] : [{ home, version }];
}

function releaseVersion(home: string): number | undefined {
  const file = join(home, 'release');
  return existsSync(file) ? versionIn(/^JAVA_VERSION="([^"]+)"/m.exec(readFileSync(file, 'utf8'))?.[1]) : undefined;
}

/** Kept, since each question starts a process. */
const printedVersions = new Map<string, number | undefined>();

/** Version managers put a script on the PATH, which has no `release` file beside it. */
function printedVersion(program: string): number | undefined {
  if (!printedVersions.has(program)) {
    const { stderr } = spawnSync(program, ['-version'], { encoding: 'utf8', timeout: 5000 });
    printedVersions.set(program, versionIn(/version "([^"]+)"/.exec(stderr ?? '')?.[1]));
  }
  return printedVersions.get(program);
}

/** `1.8.0_402` is 8, `21.0.3` is 21. */
function versionIn(text = ''): number | undefined {
  const digits = /^(?:1\.)?(\d+)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function entriesOf(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
