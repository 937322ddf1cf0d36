import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalLambda, openLocalLambda, resultOf, writeFiles } from '../testing/local-lambda.ts';

const NAME = '@aws-sdk/client-openray-test';
const packageFiles = (folder: string, version: string) => ({
  [`${folder}/${NAME}/package.json`]: `{"name":"${NAME}","version":"${version}","main":"index.js"}`,
  [`${folder}/${NAME}/index.js`]: `exports.version = '${version}';`,
});
const functions = (properties: Readonly<Record<string, string>>) =>
  Object.entries(properties)
    .map(([name, text]) => `  ${name}: {Type: AWS::Serverless::Function, Properties: {Timeout: 20, ${text}}}\n`)
    .join('');
const node = (folder: string) => `Runtime: nodejs20.x, Handler: index.handler, CodeUri: ${folder}`;

const FILES = {
  'template.yaml': `Resources:\n${functions({
    Cjs: node('cjs'),
    Dynamic: node('dynamic'),
    Esm: node('esm'),
    Typescript: node('ts'),
    OwnCjs: node('own-cjs'),
    OwnEsm: node('own-esm'),
    OwnTypescript: node('own-ts'),
    Layered: `${node('cjs')}, Layers: [!Ref Layer]`,
    LayeredEsm: `${node('esm')}, Layers: [!Ref Layer]`,
    Python: 'Runtime: python3.11, Handler: app.handler, CodeUri: python',
    OwnPython: 'Runtime: python3.11, Handler: app.handler, CodeUri: own-python',
  })}  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}\n`,
  ...Object.fromEntries(
    ['', 'own-'].flatMap((prefix) => [
      [`${prefix}cjs/index.js`, `exports.handler = async () => require('${NAME}').version;`],
      [`${prefix}dynamic/index.js`, `exports.handler = async () => (await import('${NAME}')).default.version;`],
      [`${prefix}esm/index.mjs`, `import sdk from '${NAME}';\nexport const handler = async () => sdk.version;`],
      [`${prefix}ts/index.ts`, `import sdk from '${NAME}';\nexport const handler = async () => sdk.version;`],
      [`${prefix}python/app.py`, 'import openray_test\ndef handler(event, context): return openray_test.VERSION\n'],
    ]),
  ),
  ...packageFiles('own-cjs/node_modules', '1.0.0'),
  ...packageFiles('own-esm/node_modules', '1.0.0'),
  ...packageFiles('own-ts/node_modules', '1.0.0'),
  ...packageFiles('layer/nodejs/node_modules', '2.0.0'),
  'own-python/openray_test.py': "VERSION = '1.0.0'\n",
};

describe('packages that the runtime brings', () => {
  let local: LocalLambda;
  beforeAll(async () => {
    const packagesDir = await writeFiles({
      ...packageFiles('node/node_modules', '3.0.0'),
      'python/openray_test.py': "VERSION = '3.0.0'\n",
    });
    local = await openLocalLambda(FILES, { packagesDir });
  });
  afterAll(() => local.close());

  test.each([
    ['Cjs', '3.0.0'],
    ['Dynamic', '3.0.0'],
    ['Esm', '3.0.0'],
    ['Typescript', '3.0.0'],
    ['Python', '3.0.0'],
  ])('%s finds them', async (name, version) => {
    expect(resultOf(await local.invoke(name))).toBe(version);
  });

  test.each([
    ['OwnCjs', '1.0.0'],
    ['OwnEsm', '1.0.0'],
    ['OwnTypescript', '1.0.0'],
    ['OwnPython', '1.0.0'],
    ['Layered', '2.0.0'],
    ['LayeredEsm', '2.0.0'],
  ])('%s keeps its own version', async (name, version) => {
    expect(resultOf(await local.invoke(name))).toBe(version);
  });
});

test.each(['Cjs', 'Esm', 'Typescript'])('without them %s ends with one hint', async (name) => {
  const hints: string[] = [];
  const local = await openLocalLambda(FILES, {
    onHint: (sentence) => hints.push(sentence),
    packagesDir: '/none',
  });
  expect(resultOf(await local.invoke(name))).toMatchObject({ errorMessage: expect.stringContaining(NAME) });
  expect(hints).toEqual([`on AWS, nodejs20.x brings ${NAME}: run openray runtime install node, once on this machine.`]);
  await local.close();
});
