import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder that is `/var/task` of a Java function, and the folders and jars that have its classes. */
export type JavaCode = { readonly codeDir: string; readonly classPath: readonly string[] };

const PROJECT_FILES = ['pom.xml', 'build.gradle', 'build.gradle.kts', 'build.sbt'];

/**
 * The classes below `CodeUri`: of a jar, of a folder as Lambda has it (classes, and jars in `lib`), or of a project of
 * Maven or Gradle that has been built. Undefined for a project without a build.
 */
export function javaCode(path: string, layerDirs: readonly string[]): JavaCode | undefined {
  const layerJars = layerDirs.toReversed().flatMap((layer) => jarsIn(join(layer, 'java', 'lib')));
  const codeOf = (codeDir: string, classPath: readonly string[]) => ({
    codeDir,
    classPath: [...classPath, ...layerJars],
  });
  if (statSync(path).isFile()) return codeOf(dirname(path), [path]);
  if (!PROJECT_FILES.some((name) => existsSync(join(path, name)))) {
    return codeOf(path, [path, ...jarsIn(join(path, 'lib'))]);
  }
  // Classes before jars: a compiler may have run after the jar was made, which then still has the dependencies.
  const outputs = [...mavenOutputs(path), ...gradleOutputs(path)];
  return outputs.length === 0 ? undefined : codeOf(path, outputs);
}

function mavenOutputs(project: string): readonly string[] {
  const target = join(project, 'target');
  const jars = ['.', 'dependency', 'lib'].flatMap((folder) => jarsIn(join(target, folder)));
  return [...[join(target, 'classes')].filter(existsSync), ...jars];
}

function gradleOutputs(project: string): readonly string[] {
  const build = join(project, 'build');
  const classes = foldersIn(join(build, 'classes')).map((language) => join(language, 'main'));
  const installed = foldersIn(join(build, 'install')).map((application) => join(application, 'lib'));
  return [
    ...[...classes, join(build, 'resources', 'main')].filter(existsSync),
    ...[join(build, 'libs'), ...installed].flatMap(jarsIn),
  ];
}

/** Jars by name, as Lambda orders them; without those that hold no code to run, or the same code again. */
function jarsIn(folder: string): readonly string[] {
  return namesIn(folder)
    .filter((name) => name.endsWith('.jar') && !/^original-|-(sources|javadoc|tests|test-sources)\.jar$/.test(name))
    .map((name) => join(folder, name));
}

function foldersIn(folder: string): readonly string[] {
  return namesIn(folder).map((name) => join(folder, name));
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
