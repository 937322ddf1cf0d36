import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OpenrayError } from '../errors.ts';
import {
  JAVA_CLIENT_JARS,
  JAVA_MIN,
  type JavaJar,
  jarName,
  javaClientDir,
  javaClientPath,
  javaClientSources,
} from '../lambda/runtime/java-client.ts';
import { jdkTool } from '../lambda/runtime/jdk.ts';

/** Runs a program to its end. Throws SettingInvalid when it fails. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<void>;

type InstallOptions = {
  readonly runtimesDir: string;
  readonly packagesDir: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly run: RunProgram;
};

/**
 * Installs AWS's runtime client for Java: its jars by Maven where there is one, with the user's mirrors and proxies,
 * else straight from Maven Central, and openray's classes by the compiler of the JDK. Throws SettingInvalid when a jar
 * is not the pinned one. Returns the folder.
 */
export async function installJava({ runtimesDir, packagesDir, variables, run }: InstallOptions): Promise<string> {
  const folder = javaClientDir(runtimesDir, packagesDir);
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  try {
    if (hasProgram('mvn', variables.PATH)) await copyByMaven(draft, run);
    else await Promise.all(JAVA_CLIENT_JARS.map((jar) => download(jar, draft)));
    for (const jar of JAVA_CLIENT_JARS) await checkJar(jar, join(draft, jarName(jar)));
    const [classes = '', ...jars] = javaClientPath(draft);
    const options = ['--release', String(JAVA_MIN), '-nowarn', '-d', classes, '-cp', jars.join(':')];
    await run(jdkTool('javac', variables), [...options, ...javaClientSources(runtimesDir)]);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

async function copyByMaven(folder: string, run: RunProgram): Promise<void> {
  const dependencies = JAVA_CLIENT_JARS.map(
    ({ group, artifact, version }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  const project = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>openray</groupId><artifactId>runtime</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('')}</dependencies></project>
`;
  const file = join(folder, 'pom.xml');
  await writeFile(file, project);
  const goal = `org.apache.maven.plugins:maven-dependency-plugin:${PLUGIN_VERSION}:copy-dependencies`;
  await run('mvn', ['--batch-mode', '--quiet', '--file', file, goal, `-DoutputDirectory=${folder}`]);
  await rm(file);
}

const PLUGIN_VERSION = '3.8.1';

async function download(jar: JavaJar, folder: string): Promise<void> {
  const { group, artifact, version } = jar;
  const url = `https://repo1.maven.org/maven2/${group.replaceAll('.', '/')}/${artifact}/${version}/${jarName(jar)}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    await writeFile(join(folder, jarName(jar)), Buffer.from(await response.arrayBuffer()));
  } catch (cause) {
    const { cause: reason = cause } = cause as Error;
    const sentence = `${url} cannot be downloaded: ${(reason as Error).message}. With mvn on the PATH, openray uses its mirrors and proxies`;
    throw new OpenrayError('SettingInvalid', sentence, { cause });
  }
}

const DOWNLOAD_MS = 120_000;

async function checkJar(jar: JavaJar, file: string): Promise<void> {
  const hash = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  if (hash === jar.sha256) return;
  throw new OpenrayError(
    'SettingInvalid',
    `${jarName(jar)} has the SHA-256 ${hash}, and not ${jar.sha256}; it is not used`,
  );
}

function hasProgram(name: string, path = ''): boolean {
  return path.split(':').some((folder) => folder !== '' && existsSync(join(folder, name)));
}
