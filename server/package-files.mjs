// npm packs this folder only. The console, the README and the licence are outside of it, so npm's `prepack` copies them
// here and `postpack` removes the copies.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COPIES = { '../console/dist': 'console', '../README.md': 'README.md', '../LICENSE': 'LICENSE' };
const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

for (const copy of Object.values(COPIES)) rmSync(pathOf(copy), { recursive: true, force: true });
if (process.argv[2] === 'add') {
  for (const needed of ['dist/bundle/openray.js', '../console/dist/index.html']) {
    if (existsSync(pathOf(needed))) continue;
    process.stderr.write(`${pathOf(needed)} is missing: run "npm run build" before "npm pack".\n`);
    process.exit(1);
  }
  for (const [source, copy] of Object.entries(COPIES)) {
    cpSync(pathOf(source), pathOf(copy), { recursive: true, filter: (path) => !path.endsWith('.built') });
  }
  linkToRepository();
}

/** npm shows the README on a page of its own, where links into the repository need its address. */
function linkToRepository() {
  const { homepage } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8'));
  const repository = homepage.replace(/#.*/, '');
  const text = readFileSync(pathOf('README.md'), 'utf8')
    .replace(/(!\[[^\]]*\]\()(?!https?:|#)/g, `$1${repository}/raw/HEAD/`)
    .replace(/((?<!!)\[[^\]]*\]\()(?!https?:|#)/g, `$1${repository}/blob/HEAD/`);
  writeFileSync(pathOf('README.md'), text);
}
