import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, statSync, symlinkSync } from 'node:fs';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { BuildOptions, BuildResult, Plugin } from 'esbuild';
import { OpenrayError } from '../../errors.ts';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { entryPoints, esbuildPlan } from './esbuild-options.ts';
import { writeFolderAtomically } from './folders.ts';
import { javaCode } from './java-code.ts';
import { isBroughtByNode, missingPackageHint } from './missing-package.ts';
import { responseModule } from './response-module.ts';
import { fingerprint, sourceFiles } from './source-files.ts';
import { unpackZip } from './zip-code.ts';

/** The code that runs: the function's own folder, or the result of a build. */
export type PreparedCode = {
  readonly codeDir: string;
  /** Folders and jars of a Java function. */
  readonly classPath?: readonly string[];
  readonly handler: string;
  readonly sourceMaps: boolean;
  /** Files and folders from which the code was built. A change in one of them needs another build. */
  readonly sources: readonly string[];
  readonly warnings: readonly string[];
};

export type BuildContext = {
  /** Folder of built code; created when missing. */
  readonly cacheDir: string;
  /** The same function in the template that `sam build` wrote, when there is one. */
  readonly samBuild: SamBuild | undefined;
  /** `make` gets `PATH` and `HOME` of these. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
};

export type SamBuild = { readonly codeDir: string; readonly handler: string };

/**
 * Prepares a function's code. Uses the output of `sam build` if it is newer than the source, bundles TypeScript and
 * functions with esbuild metadata, runs makefiles, unpacks zip files, writes inline code to a file, finds the classes of
 * Java functions, and leaves all other code in place.
 * Throws SettingInvalid when a build fails: with esbuild's first message, or with make's last line.
 */
export async function prepareCode(spec: FunctionSpec, context: BuildContext): Promise<PreparedCode> {
  const code = await prepare(spec, context);
  return { ...code, warnings: [...spec.warnings, ...code.warnings] };
}

async function prepare(spec: FunctionSpec, context: BuildContext): Promise<PreparedCode> {
  const sources = spec.inlineCode === undefined ? [spec.codeDir, ...spec.layerDirs] : spec.layerDirs;
  const asIs = { codeDir: spec.codeDir, handler: spec.handler, sourceMaps: false, sources, warnings: [] };
  if (spec.inlineCode !== undefined)
    return { ...asIs, ...(await writeInline(spec, spec.inlineCode, context.cacheDir)) };
  if (!existsSync(spec.codeDir)) {
    throw new OpenrayError('SettingInvalid', `${spec.logicalId}: its code folder ${spec.codeDir} does not exist`);
  }
  if (spec.runtime.startsWith('java')) return { ...asIs, ...(await prepareJava(spec, context)) };
  if (!statSync(spec.codeDir).isDirectory()) {
    if (!/\.zip$/i.test(spec.codeDir)) throw new OpenrayError('SettingInvalid', fileSentence(spec));
    const codeDir = await unpackZip(spec.codeDir, spec.logicalId, context.cacheDir);
    // An output of sam build is older code: SAM copies a zip file as it is.
    return { ...(await prepare({ ...spec, codeDir }, { ...context, samBuild: undefined })), sources };
  }
  const { samBuild } = context;
  if (samBuild !== undefined && isNewer(samBuild.codeDir, spec.codeDir)) {
    return { ...asIs, ...samBuild, sourceMaps: spec.build.kind === 'esbuild' };
  }
  if (spec.build.kind === 'esbuild') return bundle(spec, context.cacheDir);
  if (spec.build.kind === 'other' && spec.build.method === 'makefile') {
    return { ...asIs, codeDir: await makeBuild(spec, context) };
  }
  if (spec.runtime.startsWith('nodejs') && scriptEntry(spec) !== undefined) return bundle(spec, context.cacheDir);
  const warnings =
    spec.build.kind === 'other'
      ? [`${spec.logicalId} is built by ${spec.build.method}; run sam build first: openray runs its output.`]
      : [];
  return { ...asIs, warnings };
}

/** Java is not compiled here: the newer one of the output of `sam build` and the project's own build runs. */
async function prepareJava(
  spec: FunctionSpec,
  context: BuildContext,
): Promise<Pick<PreparedCode, 'codeDir' | 'classPath' | 'sources' | 'warnings'>> {
  const { logicalId, codeDir, layerDirs } = spec;
  const { samBuild } = context;
  const built = samBuild !== undefined && existsSync(samBuild.codeDir) ? samBuild.codeDir : undefined;
  const isCurrent = built !== undefined && isNewer(built, codeDir);
  const own = isCurrent ? undefined : javaCode(await javaFolder(spec, context), layerDirs);
  const code = own ?? (built === undefined ? undefined : javaCode(built, layerDirs));
  if (code === undefined) {
    const sentence = `${logicalId}: ${codeDir} has no compiled classes: run sam build, mvn package or gradle build first`;
    throw new OpenrayError('SettingInvalid', sentence);
  }
  const isOld = own === undefined && !isCurrent;
  const warnings = isOld ? [`${logicalId}: its code has changed since sam build; run sam build again.`] : [];
  return { ...code, sources: [codeDir, ...code.classPath], warnings };
}

/** The unpacked zip file or the output of the makefile, else the `CodeUri` itself. */
async function javaFolder(spec: FunctionSpec, context: BuildContext): Promise<string> {
  const { codeDir, build } = spec;
  if (/\.zip$/i.test(codeDir)) return unpackZip(codeDir, spec.logicalId, context.cacheDir);
  const isMakefile = build.kind === 'other' && build.method === 'makefile';
  return isMakefile && statSync(codeDir).isDirectory() ? makeBuild(spec, context) : codeDir;
}

function lastLineOf(failure: unknown): string {
  return (failure as { stderr?: string }).stderr?.trim().split('\n').at(-1) || (failure as Error).message;
}

export function fileSentence({ logicalId, codeDir }: FunctionSpec): string {
  const remedy = /\.jar$/i.test(codeDir) ? 'unpack it, and name that folder' : `name its folder ${dirname(codeDir)}`;
  return `${logicalId}: its CodeUri is the file ${codeDir}; ${remedy}`;
}

/** The TypeScript file of the handler. Undefined when there is none, and when a JavaScript file stands beside it. */
function scriptEntry(spec: FunctionSpec): string | undefined {
  const { folder, module } = splitHandler(spec.handler);
  const base = join(spec.codeDir, folder, module);
  if (['.js', '.mjs', '.cjs'].some((suffix) => existsSync(base + suffix))) return undefined;
  return ['.ts', '.mts', '.cts', '.tsx'].map((suffix) => base + suffix).find(existsSync);
}

async function bundle(spec: FunctionSpec, cacheDir: string): Promise<PreparedCode> {
  const properties =
    spec.build.kind === 'esbuild' ? spec.build.properties : { Minify: false, Sourcemap: true, Target: 'es2022' };
  const plan = esbuildPlan(properties);
  const named = entryPoints(properties).map((entry) => entryFile(spec, entry));
  const entries = named.length > 0 ? named : [scriptEntry(spec) ?? handlerFile(spec)];
  await mkdir(cacheDir, { recursive: true });
  // Source maps name sources relative to the bundle. The final folder has the same parent, so the paths stay right.
  const outdir = join(await realpath(cacheDir), spec.logicalId);
  const built = await runEsbuild(spec, { ...plan.options, entryPoints: entries, outdir });
  const codeDir = await storeBundle(built, spec, outdir, plan.options.format === 'esm');
  return {
    codeDir,
    handler: bundledHandler(spec.handler, codeDir),
    sourceMaps: plan.sourceMaps,
    sources: [...Object.keys(built.metafile.inputs).map((file) => join(spec.codeDir, file)), ...spec.layerDirs],
    warnings: plan.unknown.map((name) => `${spec.logicalId}: openray does not know esbuild's option ${name}.`),
  };
}

/**
 * Leaves packages out of the bundle that Lambda's runtime brings and the project does not install. At run time Node
 * finds them in openray's folder of runtime packages; otherwise the invocation fails, with a hint.
 */
const runtimePackagesStayOutside: Plugin = {
  name: 'runtime-packages',
  setup(build) {
    build.onResolve({ filter: /^@(aws-sdk|smithy)\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === SECOND_PASS || !isBroughtByNode(path)) return undefined;
      const { errors } = await build.resolve(path, { ...from, pluginData: SECOND_PASS });
      return errors.length === 0 ? undefined : { path, external: true };
    });
  },
};
const SECOND_PASS = 'second pass';

type EsbuildResult = BuildResult<{ write: false; metafile: true }>;

async function runEsbuild(spec: FunctionSpec, options: BuildOptions): Promise<EsbuildResult> {
  const { build } = await loadEsbuild(spec.codeDir);
  try {
    return await build({
      ...options,
      absWorkingDir: spec.codeDir,
      bundle: true,
      plugins: [runtimePackagesStayOutside],
      platform: 'node',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
  } catch (error) {
    const first = (error as { errors?: { text: string; location?: { file: string; line: number } | null }[] })
      .errors?.[0];
    const location = first?.location ? `${first.location.file}:${first.location.line}: ` : '';
    const reason = `${location}${first?.text ?? (error as Error).message}`;
    const hint = missingPackageHint(spec, reason, { packagesDir: undefined, hasVirtualEnv: false });
    const sentence = `${spec.logicalId} cannot be bundled: ${reason}${hint === undefined ? '' : `. Hint: ${hint}`}`;
    throw new OpenrayError('SettingInvalid', sentence, { cause: error });
  }
}

/** The project's own esbuild if it has one, as in SAM; else openray's. */
async function loadEsbuild(codeDir: string): Promise<typeof import('esbuild')> {
  try {
    const path = createRequire(join(codeDir, 'package.json')).resolve('esbuild');
    const loaded = await import(pathToFileURL(path).href);
    return loaded.default ?? loaded;
  } catch {
    return import('esbuild');
  }
}

/** Writes the bundle to a folder that is named by the hash of its content. Processes with the same bundle share it. */
async function storeBundle(built: EsbuildResult, spec: FunctionSpec, outdir: string, isEsm: boolean): Promise<string> {
  const hash = createHash('sha256').update(spec.codeDir).update(packageText(isEsm));
  for (const file of built.outputFiles) hash.update(relative(outdir, file.path)).update(file.contents);
  const target = `${outdir}-${hash.digest('hex').slice(0, 16)}`;
  if (existsSync(target)) return target;
  await writeFolderAtomically(target, async (dir) => {
    for (const file of built.outputFiles) {
      const path = join(dir, relative(outdir, file.path));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file.contents);
    }
    await writeFile(join(dir, 'package.json'), packageText(isEsm));
    // Node finds packages that are not in the bundle where it finds them for the source.
    const modules = nearestModules(spec.codeDir);
    if (modules !== undefined) symlinkSync(modules, join(dir, 'node_modules'));
  });
  return target;
}

/** Declares the module format of the files: without it Node reads the next `package.json` above the cache folder. */
function packageText(isEsm: boolean): string {
  return `{"type":"${isEsm ? 'module' : 'commonjs'}"}\n`;
}

/** Runs `make build-NAME`, which writes the code to ARTIFACTS_DIR. Runs it again only after a source has changed. */
async function makeBuild(spec: FunctionSpec, { cacheDir, hostVariables }: BuildContext): Promise<string> {
  const hash = createHash('sha256')
    .update(fingerprint([spec.codeDir]))
    .digest('hex')
    .slice(0, 16);
  const target = join(cacheDir, `${spec.logicalId}-${hash}`);
  if (existsSync(target)) return target;
  await writeFolderAtomically(target, async (dir) => {
    try {
      const env = { PATH: hostVariables.PATH, HOME: hostVariables.HOME, ARTIFACTS_DIR: dir };
      await execFileAsync('make', [`build-${spec.logicalId}`], { cwd: spec.codeDir, env });
    } catch (cause) {
      const sentence = `${spec.logicalId} cannot be built by make: ${lastLineOf(cause)}`;
      throw new OpenrayError('SettingInvalid', sentence, { cause });
    }
  });
  return target;
}

const execFileAsync = promisify(execFile);

async function writeInline(spec: FunctionSpec, text: string, cacheDir: string): Promise<{ codeDir: string }> {
  const file = `${splitHandler(spec.handler).module}${spec.runtime.startsWith('python') ? '.py' : '.js'}`;
  const added = responseModule(spec.runtime, text);
  const files = [
    { path: file, text },
    { path: 'package.json', text: packageText(false) },
    ...(added === undefined ? [] : [added]),
  ];
  const hash = createHash('sha256');
  for (const { path, text: content } of files) hash.update(path).update(content);
  const target = join(cacheDir, `${spec.logicalId}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return { codeDir: target };
  await writeFolderAtomically(target, async (dir) => {
    for (const { path, text: content } of files) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), content);
    }
  });
  return { codeDir: target };
}

/**
 * The handler's name in the bundle: `app.handler` for `src/app.handler` when esbuild wrote `app.js` without the folder.
 * A handler below `/opt` is in a layer and keeps its name.
 */
function bundledHandler(handler: string, codeDir: string): string {
  if (handler.startsWith('/opt')) return handler;
  const { folder, module } = splitHandler(handler);
  const isNested = ['.js', '.mjs', '.cjs'].some((suffix) => existsSync(join(codeDir, folder, module + suffix)));
  return isNested ? handler : handler.slice(folder.length);
}

function entryFile(spec: FunctionSpec, entry: string): string {
  const path = join(spec.codeDir, entry);
  return [path, `${path}.ts`, `${path}.js`].find((file) => existsSync(file) && statSync(file).isFile()) ?? path;
}

function handlerFile(spec: FunctionSpec): string {
  const { folder, module } = splitHandler(spec.handler);
  return entryFile(spec, join(folder, module));
}

function splitHandler(handler: string): { readonly folder: string; readonly module: string } {
  const start = handler.lastIndexOf('/') + 1;
  const dot = handler.indexOf('.', start);
  return { folder: handler.slice(0, start), module: handler.slice(start, dot < 0 ? undefined : dot) };
}

function nearestModules(dir: string): string | undefined {
  for (let folder = dir; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    if (existsSync(modules)) return modules;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The folders of a function's layers: those that `sam build` wrote, where they are newer than the source. */
export function builtLayers(sources: readonly string[], built: readonly string[] = []): readonly string[] {
  return sources.map((source, i) => {
    const dir = built.length === sources.length ? built[i] : undefined;
    return dir !== undefined && isNewer(dir, source) ? dir : source;
  });
}

/** Whether the built folder exists and no source file is newer. */
function isNewer(builtDir: string, sourceDir: string): boolean {
  if (!existsSync(builtDir)) return false;
  const builtMs = statSync(builtDir).mtimeMs;
  return sourceFiles([sourceDir]).every(({ changedMs }) => changedMs <= builtMs);
}

/** The template that `sam build` wrote beside `file`. Undefined when it is missing, older, or `file` itself. */
export function samBuildTemplate(file: string): string | undefined {
  const dir = dirname(file);
  if (basename(dir) === 'build' && dir.includes(`${sep}.aws-sam${sep}`)) return undefined;
  const built = join(dir, '.aws-sam', 'build', 'template.yaml');
  return existsSync(built) && statSync(built).mtimeMs >= statSync(file).mtimeMs ? built : undefined;
}
