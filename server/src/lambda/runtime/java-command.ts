import { existsSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import type { FunctionSpec } from '../spec/function-spec.ts';
import type { DebugOptions, Interpreters, RunnableCode, RuntimeCommand } from './interpreters.ts';
import { JAVA_CLIENT_MAIN, JAVA_MIN, javaClientDir, javaClientPath } from './java-client.ts';
import { findJdk } from './jdk.ts';

/** The command that starts AWS's client for Java, which loads the function from the class path of `code`. */
export function javaCommand(
  spec: FunctionSpec,
  { codeDir, classPath = [codeDir] }: RunnableCode,
  interpreters: Interpreters,
  { debug, toolOptions }: { readonly debug: DebugOptions | undefined; readonly toolOptions: string | undefined },
): RuntimeCommand {
  const { logicalId, runtime, handler, memoryMb } = spec;
  const asked = Number(/\d+/.exec(runtime)?.[0]);
  const wanted = Math.max(asked, JAVA_MIN);
  const { jdk, found } = findJdk(wanted, interpreters.hostVariables);
  if (jdk === undefined) {
    const has = found === undefined ? '' : `; ${found.home} is Java ${found.version}`;
    const reason = `${logicalId} needs ${runtime}${has}: install a JDK ${wanted} or later, and name its folder in JAVA_HOME.`;
    return { ok: false, reason };
  }
  const client = installedClient(interpreters) ?? bundledClient(classPath);
  if (client === undefined) {
    const reason = `${logicalId} needs ${runtime}: run openray runtime install java, once on this machine.`;
    return { ok: false, reason };
  }
  const command = [
    join(jdk.home, 'bin', 'java'),
    ...javaOptions(memoryMb, jdk.version, toolOptions),
    ...debugOptions(debug),
    `-Dopenray.class.path=${classPath.join(delimiter)}`,
    '-cp',
    client.classPath.join(delimiter),
    JAVA_CLIENT_MAIN,
    handler,
  ];
  const warning =
    jdk.version === asked ? undefined : `${logicalId} asks for ${runtime} and runs on Java ${jdk.version}.`;
  return { ok: true, command, runtimeDir: client.dir, warning };
}

type JavaClient = { readonly dir: string; readonly classPath: readonly string[] };

function installedClient({ packagesDir, runtimesDir }: Interpreters): JavaClient | undefined {
  const dir = packagesDir === undefined ? undefined : javaClientDir(runtimesDir, packagesDir);
  return dir === undefined || !existsSync(dir) ? undefined : { dir, classPath: javaClientPath(dir) };
}

/** The client that the function's own build has, as for a container image. Its native library exists only for Linux. */
function bundledClient(classPath: readonly string[]): JavaClient | undefined {
  const isClient = (path: string) => basename(path).startsWith('aws-lambda-java-runtime-interface-client-');
  const jar = classPath.find(isClient);
  return jar === undefined || process.platform !== 'linux' ? undefined : { dir: jar, classPath };
}

/** Java's options on Lambda, without those that the function's own JAVA_TOOL_OPTIONS decide: Java refuses some pairs. */
function javaOptions(memoryMb: number, version: number, toolOptions = ''): readonly string[] {
  const options: readonly (readonly [option: string, decidedBy: RegExp])[] = [
    [`-XX:MaxHeapSize=${Math.floor(memoryMb * 1024 * HEAP_SHARE)}k`, /-Xmx|MaxHeapSize|MaxRAM/],
    ['-XX:+UseSerialGC', /-XX:[+-]Use\w+GC/],
    ['-XX:TieredStopAtLevel=1', /Tiered/],
    ['-Djava.net.preferIPv4Stack=true', /preferIPv[46]/],
  ];
  return [
    ...options.filter(([, decidedBy]) => !decidedBy.test(toolOptions)).map(([option]) => option),
    // Without it, Java 24 and later print a warning about AWS's client.
    ...(version >= 24 ? ['--sun-misc-unsafe-memory-access=allow'] : []),
  ];
}

/** Lambda gives the heap this share of the function's memory. */
const HEAP_SHARE = 0.85;

function debugOptions(debug: DebugOptions | undefined): readonly string[] {
  if (debug === undefined) return [];
  return [`-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:${debug.port}`, ...debug.args];
}
