import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { fileSentence } from './build.ts';
import { entryPoints } from './esbuild-options.ts';

const SCRIPT_SUFFIXES = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.tsx', '.jsx', '/index.js', ''];

/**
 * Why the code of a function cannot start, as far as its files show; undefined when they show no reason. Files that only
 * a build makes are not missed: `isBuilt` says that `sam build` has run.
 */
export function codeProblem(spec: FunctionSpec, isBuilt: boolean): string | undefined {
  const { inlineCode, codeDir, layerDirs, runtime, logicalId } = spec;
  const missing = [...(inlineCode === undefined ? [codeDir] : []), ...layerDirs].find((folder) => !existsSync(folder));
  if (missing !== undefined) return `its folder ${missing} does not exist`;
  // Java's classes may be in a jar.
  if (inlineCode !== undefined || runtime.startsWith('java')) return undefined;
  if (!statSync(codeDir).isDirectory()) {
    return /\.zip$/i.test(codeDir) ? undefined : fileSentence(spec).replace(`${logicalId}: `, '');
  }
  return isBuilt ? undefined : missingFile(spec);
}

function missingFile({ runtime, handler, build, codeDir, layerDirs, missingLayers }: FunctionSpec): string | undefined {
  const hasFile = (paths: readonly string[]) => paths.some((path) => isFile(join(codeDir, path)));
  if (build.kind === 'esbuild') {
    const entries = entryPoints(build.properties);
    const missing = entries.find((entry) => !hasFile(SCRIPT_SUFFIXES.map((suffix) => entry + suffix)));
    if (missing !== undefined) return `its entry point is ${missing}, but ${codeDir} has no such file`;
    if (entries.length > 0) return undefined;
  }
  // The file may come out of a build, or be in a layer that has no folder here.
  const mayBeElsewhere = build.kind === 'other' || missingLayers !== undefined || isAbsolute(handler);
  if (mayBeElsewhere) return undefined;
  if (runtime.startsWith('provided')) {
    const isMissing = ![codeDir, ...layerDirs].some((folder) => isFile(join(folder, 'bootstrap')));
    return isMissing ? `${codeDir} has no file bootstrap: run sam build` : undefined;
  }
  const files = handlerFiles(runtime, handler);
  const inLayers = layerDirs.some((folder) =>
    files.some((file) =>
      ['', 'python', 'nodejs/node_modules', 'nodejs'].some((part) => isFile(join(folder, part, file))),
    ),
  );
  if (files.length === 0 || hasFile(files) || inLayers) return undefined;
  return `its Handler is ${handler}, but ${codeDir} has no ${files[0]}`;
}

/** Files that may hold the handler, the usual one first. Empty for a handler or runtime of another form. */
function handlerFiles(runtime: string, handler: string): readonly string[] {
  if (runtime.startsWith('nodejs')) {
    const module = /^((?:.*\/)?[^./]+)\./.exec(handler)?.[1];
    return module === undefined ? [] : SCRIPT_SUFFIXES.map((suffix) => module + suffix);
  }
  if (runtime.startsWith('python')) {
    const module = /^(.+)\.[^.]+$/.exec(handler)?.[1]?.replaceAll('.', '/');
    return module === undefined ? [] : [`${module}.py`, `${module}/__init__.py`, `${module}.pyc`, `${module}.so`];
  }
  return [];
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
