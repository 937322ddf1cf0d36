import type { BuildOptions } from 'esbuild';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

export type EsbuildPlan = {
  readonly options: BuildOptions;
  /** Node has to read source maps. */
  readonly sourceMaps: boolean;
  /** Properties without an option of esbuild, for a warning. */
  readonly unknown: readonly string[];
};

const FIXED_PROPERTIES = [
  'EntryPoints',
  'UseNpmCi',
  'Bundle',
  'Platform',
  'Outdir',
  'Outfile',
  'SourceMap',
  'Sourcemap',
];
const LISTS = ['External', 'Inject', 'Conditions', 'ResolveExtensions', 'Drop', 'Pure', 'MainFields', 'Target'];
const PAIRS = ['Loader', 'OutExtension', 'Banner', 'Footer', 'Define', 'Alias'];
const PLAIN = [
  ...['Minify', 'MinifyWhitespace', 'MinifyIdentifiers', 'MinifySyntax', 'Format', 'KeepNames', 'TreeShaking'],
  ...['SourcesContent', 'SourceRoot', 'Charset', 'LegalComments', 'Packages', 'JSX', 'Tsconfig', 'IgnoreAnnotations'],
  ...['PreserveSymlinks', 'LineLimit', 'MangleQuoted', 'AllowOverwrite', 'JsxFactory', 'JsxFragment'],
];

/** SAM's defaults for a build with esbuild metadata. */
const DEFAULTS: BuildOptions = { target: 'es2020', format: 'cjs', minify: true };

/**
 * `BuildProperties` of SAM's esbuild metadata as esbuild's own options: `External: [a]`, `Loader: [".html=text"]`,
 * `Sourcemap: true`. Bundling, platform and output folder are fixed, as in SAM.
 */
export function esbuildPlan(properties: JsonObject): EsbuildPlan {
  const options: Record<string, unknown> = { ...DEFAULTS };
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    const option = name === 'JSX' ? 'jsx' : name.charAt(0).toLowerCase() + name.slice(1);
    if (FIXED_PROPERTIES.includes(name)) continue;
    if (LISTS.includes(name)) options[option] = texts(value);
    else if (PAIRS.includes(name)) options[option] = pairs(value);
    else if (PLAIN.includes(name)) options[option] = plain(value);
    else unknown.push(name);
  }
  const sourcemap = plain(properties.Sourcemap ?? properties.SourceMap ?? false);
  if (sourcemap !== false) options.sourcemap = sourcemap;
  const define = options.define;
  if (typeof define === 'object' && define !== null) options.define = define;
  return { options: options as BuildOptions, sourceMaps: sourcemap !== false, unknown };
}

/** Entry points as the template spells them; the caller tries the suffixes `.ts` and `.js`. */
export function entryPoints(properties: JsonObject): readonly string[] {
  return texts(properties.EntryPoints ?? []);
}

function texts(value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return String(value)
    .split(',')
    .map((item) => item.trim());
}

/** `["js=…"]` or an object, as an object of texts. */
function pairs(value: JsonValue): Record<string, string> {
  if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
  const items = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
  return Object.fromEntries(
    items.map((item) => {
      const [key = '', ...rest] = String(item).split('=');
      return [key, rest.join('=')];
    }),
  );
}

function plain(value: JsonValue): JsonValue {
  return value === 'true' ? true : value === 'false' ? false : value;
}
