import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { sourceFiles } from './source-files.ts';

export type MissingPackageContext = {
  /** Where `openray runtime install` puts the packages that Lambda's runtimes bring. */
  readonly packagesDir: string | undefined;
  /** A Python environment is active. */
  readonly hasVirtualEnv: boolean;
};

/** Packages that Lambda's runtime has, so that few functions list them. */
const BROUGHT_BY_NODE = /^@(aws-sdk|smithy)\//;
const BROUGHT_BY_PYTHON = ['boto3', 'botocore', 's3transfer', 'jmespath', 'dateutil', 'urllib3', 'six'];

/** Whether Lambda's Node runtimes bring this package. */
export function isBroughtByNode(name: string): boolean {
  return BROUGHT_BY_NODE.test(name);
}

/** One sentence when a function failed since a package is missing. `output` is the log and the payload of a run. */
export function missingPackageHint(
  spec: FunctionSpec,
  output: string,
  context: MissingPackageContext,
): string | undefined {
  if (output.includes(WRAPPER_MISSING)) return wrapperHint(spec);
  if (spec.runtime.startsWith('provided')) return bootstrapHint(spec, output);
  if (spec.runtime.startsWith('python')) {
    const module = /No module named '([\w.]+)'/.exec(output)?.[1]?.split('.')[0];
    return module === undefined ? undefined : pythonHint(spec, module, context);
  }
  if (spec.runtime.startsWith('java')) return javaHint(spec, output);
  if (spec.runtime.startsWith('ruby')) return rubyHint(spec, output);
  if (!spec.runtime.startsWith('nodejs')) return undefined;
  const specifier = /(?:Cannot find (?:package|module)|Could not resolve) ['"]([^'"]+)['"]/.exec(output)?.[1];
  return specifier === undefined || /^[./\\#]|:/.test(specifier) ? undefined : nodeHint(spec, specifier, context);
}

/** Runtimes that have version 2 of the SDK. */
const OLD_NODE = /^nodejs([468]|1[0246])\./;

function nodeHint(spec: FunctionSpec, specifier: string, { packagesDir }: MissingPackageContext): string | undefined {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const module = moduleOf(spec.handler);
  if (basename(module) === specifier) {
    const missing = missingHandler(spec, module, ['.js', '.mjs', '.cjs', '.ts', '/index.js']);
    if (missing !== undefined) return missing;
  }
  const list = findUpwards(spec.codeDir, ['package.json'], (text) => text.includes(`"${name}"`));
  if (list !== undefined) {
    return `${list} lists ${name}, but it is not installed: run npm install in ${dirname(list)}, or sam build.`;
  }
  if (isBroughtByNode(name) || (name === 'aws-sdk' && OLD_NODE.test(spec.runtime))) {
    const hasPackages = packagesDir !== undefined && existsSync(join(packagesDir, 'node'));
    return `on AWS, ${spec.runtime} brings ${name}: run openray runtime install node${hasPackages || !isBroughtByNode(name) ? ` ${name}` : ''}, once on this machine.`;
  }
  if (name === 'aws-sdk') {
    return `aws-sdk, version 2 of the SDK, is not part of nodejs18.x and later: run npm install aws-sdk in ${spec.codeDir}, or use version 3 (@aws-sdk/client-…).`;
  }
  return `${spec.logicalId} imports ${name}, which no package.json lists and ${noLayer(spec)}: run npm install ${name} in ${spec.codeDir}.`;
}

function pythonHint(
  spec: FunctionSpec,
  module: string,
  { packagesDir, hasVirtualEnv }: MissingPackageContext,
): string | undefined {
  if (/^[^./]+/.exec(spec.handler)?.[0] === module) {
    return missingHandler(spec, moduleOf(spec.handler).replaceAll('.', '/'), ['.py', '/__init__.py']);
  }
  const own = ownModule(spec.codeDir, module);
  if (own !== undefined) {
    return `${spec.logicalId} imports ${module}, which is ${own}, but imports start in its code folder ${spec.codeDir}: name ${dirname(own)} in CodeUri, and start Handler from there.`;
  }
  const lists = ['requirements.txt', 'pyproject.toml', 'Pipfile'];
  const pattern = new RegExp(`^[^#]*\\b${module.replaceAll('_', '[-_.]')}\\b`, 'im');
  const list = [spec.codeDir, ...spec.layerDirs]
    .map((dir) => findUpwards(dir, lists, (text) => pattern.test(text)))
    .find((file) => file !== undefined);
  const environment = hasVirtualEnv ? 'the active virtual environment' : 'a virtual environment and activate it';
  if (list !== undefined) {
    const command = basename(list) === 'requirements.txt' ? ` (pip install -r ${list})` : '';
    return `${list} lists ${module}, but it is not installed: install it into ${environment}${command}, or run sam build.`;
  }
  if (BROUGHT_BY_PYTHON.includes(module)) {
    const hasPackages = packagesDir !== undefined && existsSync(join(packagesDir, 'python'));
    return `on AWS, ${spec.runtime} brings ${module}: run openray runtime install python${hasPackages ? ` ${module}` : ''}, once on this machine.`;
  }
  return `${spec.logicalId} imports ${module}, which no requirements.txt lists and ${noLayer(spec)}: list it in ${join(spec.codeDir, 'requirements.txt')} and install it into ${environment}.`;
}

/** A layer of AWS may well have the package; only its folder is not here. */
function noLayer({ missingLayers = [] }: FunctionSpec): string {
  const [first, ...others] = missingLayers;
  if (first === undefined) return 'no layer has';
  return others.length === 0
    ? `no folder of a layer has (the layer ${first} has no folder here)`
    : `no folder of a layer has (the layers ${missingLayers.join(', ')} have no folder here)`;
}

function rubyHint({ logicalId, runtime, codeDir, handler }: FunctionSpec, output: string): string | undefined {
  const name = /cannot load such file -- ([\w/.-]+)/.exec(output)?.[1];
  if (name === undefined || handler.startsWith(`${name}.`) || name.startsWith('/')) return undefined;
  if (/^aws-sdk(-|$)/.test(name)) {
    return `on AWS, ${runtime} brings ${name}: run openray runtime install ruby ${name}, once on this machine.`;
  }
  return `${logicalId} requires ${name}, which no gem of it has: list it in ${join(codeDir, 'Gemfile')} and run sam build, or gem install.`;
}

function javaHint({ logicalId, codeDir }: FunctionSpec, output: string): string | undefined {
  const name = /(?:Class not found: |NoClassDefFoundError: |ClassNotFoundException: )([\w.$/]+)/.exec(output)?.[1];
  if (name === undefined) return undefined;
  const known = 'classes, jars in lib, target and build of a project, and layers';
  return `${logicalId}: ${codeDir} has no class ${name.replaceAll('/', '.')} (${known} are searched): run sam build, which copies all dependencies.`;
}

/** `src/app` of `src/app.handler`; for Python also `src.app` of `src.app.handler`. */
function moduleOf(handler: string): string {
  return handler.slice(0, Math.max(handler.lastIndexOf('.'), 0));
}

/** Undefined when the code folder has the file of the handler. `module` is a path without its suffix. */
function missingHandler(
  { logicalId, handler, codeDir, inlineCode }: FunctionSpec,
  module: string,
  suffixes: readonly string[],
): string | undefined {
  if (inlineCode !== undefined || handler.startsWith('/')) return undefined;
  if (suffixes.some((suffix) => existsSync(join(codeDir, module + suffix)))) return undefined;
  const [suffix = ''] = suffixes;
  const found = sourceFiles([codeDir]).find(({ path }) => basename(path) === basename(module) + suffix);
  const start = `the Handler ${handler} of ${logicalId} names ${module}${suffix}, which its code folder ${codeDir} does not have`;
  if (found === undefined) return `${start}: build the project, or correct Handler or CodeUri.`;
  const name = relative(codeDir, found.path).slice(0, -suffix.length).replaceAll('\\', '/');
  return `${start}: write ${name}${handler.slice(handler.lastIndexOf('.'))}, or correct CodeUri.`;
}

/** A module of the project itself: the code folder, or a folder or file beside or above it. */
function ownModule(codeDir: string, module: string): string | undefined {
  let folder = dirname(codeDir);
  for (let i = 0; i < PARENTS_MAX; i++) {
    const found = [join(folder, module), join(folder, `${module}.py`)].find(isPythonModule);
    if (found !== undefined) return found;
    folder = dirname(folder);
  }
  return undefined;
}

/** A folder of packages elsewhere, such as a virtual environment, has no Python file of its own at the top. */
function isPythonModule(path: string): boolean {
  if (path.endsWith('.py')) return existsSync(path);
  return existsSync(join(path, '__init__.py')) || entriesOf(path).some((name) => name.endsWith('.py'));
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const WRAPPER_MISSING = 'Runtime exited with error: exit status 127';

function wrapperHint({ logicalId, layerDirs, environmentVariables }: FunctionSpec): string | undefined {
  const { AWS_LAMBDA_EXEC_WRAPPER: wrapper = '' } = environmentVariables;
  const inLayer = wrapper.slice('/opt/'.length);
  if (!wrapper.startsWith('/opt/') || layerDirs.some((dir) => existsSync(join(dir, inLayer)))) return undefined;
  return `no layer of ${logicalId} has ${wrapper}, which AWS_LAMBDA_EXEC_WRAPPER names: build the layer with sam build, or set the variable to an empty text with --env-vars.`;
}

function bootstrapHint({ logicalId, codeDir }: FunctionSpec, output: string): string | undefined {
  if (!output.includes("Couldn't find valid bootstrap(s)")) return undefined;
  return `${logicalId} has no program: ${join(codeDir, 'bootstrap')} does not exist. Run sam build, or build it there.`;
}

/** Folders above the code that may hold the list of a monorepo. */
const PARENTS_MAX = 4;
const LIST_MAX_CHARS = 256 * 1024;

function findUpwards(dir: string, names: readonly string[], matches: (text: string) => boolean): string | undefined {
  let folder = dir;
  for (let i = 0; i <= PARENTS_MAX; i++) {
    const found = names.map((name) => join(folder, name)).find((file) => matches(readText(file)));
    if (found !== undefined) return found;
    folder = dirname(folder);
  }
  return undefined;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, LIST_MAX_CHARS);
  } catch {
    return '';
  }
}
