// Bundles what tsc has checked: the program, because loading a thousand small files takes longer than opening the store,
// and `openray/testing` as CommonJS, because jest runs tests as CommonJS by default and cannot load ES modules from there
// before Node 24.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Files that Node starts, by their name in `dist/bundle`. */
const PROGRAMS = {
  openray: 'server/src/cli/program.ts',
  'engine-process': 'server/src/store/engine/embedded/engine-process.ts',
};
const BUNDLE = 'server/dist/bundle';

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync('server/package.json', 'utf8'),
);
const common = { platform: 'node', target: 'node20', bundle: true, logLevel: 'warning' };

rmSync(BUNDLE, { recursive: true, force: true });
const { metafile } = await build({
  ...common,
  entryPoints: PROGRAMS,
  outdir: BUNDLE,
  format: 'esm',
  // Code that several commands share, or that one loads later, is a file of its own.
  splitting: true,
  // npm installs these beside openray; all other packages become part of the bundle.
  external: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
  sourcemap: true,
  sourcesContent: false,
  // Node keeps the text of each loaded file in memory. LICENSES.txt has the notices.
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  // For bundled packages in CommonJS, which load modules of Node.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});
const bundled = bundledPackages(metafile);
refuseDynamicImports(metafile);
refuseWideTexts(metafile);
writeFileSync(join(BUNDLE, 'LICENSES.txt'), licences(bundled));
writeFileSync(join(BUNDLE, 'openray.bundle.cdx.json'), `${JSON.stringify(billOfMaterials(bundled), null, 2)}\n`);

await build({
  ...common,
  entryPoints: ['server/src/test-kit/index.ts', 'server/src/test-kit/jest.ts', 'server/src/test-kit/global-setup.ts'],
  outdir: 'server/dist/test-kit',
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  packages: 'external',
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
});

/**
 * Fails when a file of openray imports a bundled package dynamically: the names of a package in CommonJS would be missing.
 * It is to be imported by a file of openray, and that file dynamically.
 */
function refuseDynamicImports({ inputs }) {
  for (const [file, { imports }] of Object.entries(inputs)) {
    if (file.includes('node_modules/')) continue;
    for (const { kind, path, original, external } of imports) {
      if (kind !== 'dynamic-import' || external || !path.includes('node_modules/')) continue;
      throw new Error(`${file} imports the bundled package ${original} dynamically`);
    }
  }
}

/** Fails for a file with another character than those of ASCII: Node keeps its whole text with two bytes a character. */
function refuseWideTexts({ outputs }) {
  for (const file of Object.keys(outputs).filter((path) => path.endsWith('.js'))) {
    const [wide] = /.{0,40}[\u0080-\uffff].{0,40}/.exec(readFileSync(file, 'utf8')) ?? [];
    if (wide !== undefined)
      throw new Error(`${file} has a character beyond ASCII; write it as \\u and its code: ${wide}`);
  }
}

/** In the order of their folders. A package may be there in several versions. */
function bundledPackages({ inputs }) {
  const folders = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (typeof license !== 'string') throw new Error(`${folder}/package.json names no licence`);
    return { folder, name, version, license };
  });
}

/** The notices that the licences of bundled packages require. */
function licences(packages) {
  const notices = packages.map(({ folder, name, version, license }) => {
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...texts].join('\n\n');
  });
  return `openray contains the packages below.\n\n${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/**
 * For scanners of vulnerabilities, which do not find bundled packages in `node_modules`.
 * @see https://cyclonedx.org/docs/1.5/json/
 */
function billOfMaterials(packages) {
  const components = packages.map(({ name, version, license }) => ({
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: [{ expression: license }],
  }));
  return { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components };
}
