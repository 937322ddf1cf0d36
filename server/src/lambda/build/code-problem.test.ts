import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseTemplate } from '../template/template.ts';
import { codeProblem } from './code-problem.ts';

const FILES = [
  ...['node/app.js', 'node/src/get.ts', 'node/lib/index.js', 'node/own.mjs', 'python/app.py', 'python/shop/get.py'],
  ...['python/pack/__init__.py', 'go/bootstrap', 'layer/python/shared.py', 'layer/nodejs/node_modules/wrap.js'],
  ...['empty/README.md', 'app.zip', 'app.jar', 'main.go'],
];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'openray-code-'));
  for (const file of FILES) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function problemOf(properties: string, isBuilt = false, more = ''): string | undefined {
  const text = `Resources: {F: {Type: AWS::Serverless::Function, Properties: {${properties}}${more}}}`;
  const options = {
    parameters: {},
    region: 'us-east-1',
    accountId: '000000000000',
    layers: { Mine: join(folder, 'layer') },
  };
  const [spec] = parseTemplate(text, join(folder, 'template.yaml'), options).functions;
  if (spec === undefined) throw new Error('the template has no function');
  return codeProblem(spec, isBuilt)?.replaceAll(folder, 'FOLDER');
}

const NODE = 'Runtime: nodejs22.x, CodeUri: node';
const PYTHON = 'Runtime: python3.12, CodeUri: python';
const PROVIDED = 'Runtime: provided.al2023, Handler: bootstrap';
const MINE = "Layers: ['arn:aws:lambda:us-east-1:1:layer:Mine:1']";
const ABSENT = "Layers: ['arn:aws:lambda:us-east-1:1:layer:Absent:1']";

test.each([
  `${NODE}, Handler: app.handler`,
  `${NODE}, Handler: src/get.handler`,
  `${NODE}, Handler: lib.handler`,
  `${NODE}, Handler: own.nested.handler`,
  `${NODE}, Handler: /opt/nodejs/wrap.handler`,
  `${NODE}, Handler: wrap.handler, ${MINE}`,
  `${NODE}, Handler: wrap.handler, ${ABSENT}`,
  `${NODE}, Handler: nodot`,
  `${PYTHON}, Handler: app.handler`,
  `${PYTHON}, Handler: shop.get.handler`,
  `${PYTHON}, Handler: shop/get.handler`,
  `${PYTHON}, Handler: pack.handler`,
  `${PYTHON}, Handler: shared.handler, ${MINE}`,
  `${PROVIDED}, CodeUri: go`,
  'Runtime: nodejs22.x, Handler: x.handler, InlineCode: a',
  'Runtime: java21, Handler: shop.App, CodeUri: app.zip',
  'Runtime: nodejs22.x, Handler: a.b, CodeUri: app.zip',
])('no problem: %s', (properties) => {
  expect(problemOf(properties)).toBeUndefined();
});

test.each([
  [`${NODE}, Handler: missing.handler`, 'its Handler is missing.handler, but FOLDER/node has no missing.js'],
  [`${NODE}, Handler: dist/app.handler`, 'its Handler is dist/app.handler, but FOLDER/node has no dist/app.js'],
  [`${PYTHON}, Handler: shop.put.handler`, 'its Handler is shop.put.handler, but FOLDER/python has no shop/put.py'],
  [`${PYTHON}, Handler: app2.handler, ${MINE}`, 'its Handler is app2.handler, but FOLDER/python has no app2.py'],
  [`${PROVIDED}, CodeUri: empty`, 'FOLDER/empty has no file bootstrap: run sam build'],
  ['Runtime: nodejs22.x, Handler: a.b, CodeUri: nowhere', 'its folder FOLDER/nowhere does not exist'],
  [
    'Runtime: nodejs22.x, Handler: a.b, CodeUri: app.jar',
    'its CodeUri is the file FOLDER/app.jar; unpack it, and name that folder',
  ],
  [`${PROVIDED}, CodeUri: main.go`, 'its CodeUri is the file FOLDER/main.go; name its folder FOLDER'],
])('%s: %s', (properties, problem) => {
  expect(problemOf(properties)).toBe(problem);
});

test('files that a build makes are not missed', () => {
  expect(problemOf(`${NODE}, Handler: missing.handler`, true)).toBeUndefined();
  expect(problemOf(`${PROVIDED}, CodeUri: empty`, false, ', Metadata: {BuildMethod: makefile}')).toBeUndefined();
});

test('entry points of esbuild', () => {
  const metadata = (entry: string) => `, Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [${entry}]}}`;
  expect(problemOf(`${NODE}, Handler: get.handler`, false, metadata('src/get.ts'))).toBeUndefined();
  expect(problemOf(`${NODE}, Handler: get.handler`, false, metadata('src/put.ts'))).toBe(
    'its entry point is src/put.ts, but FOLDER/node has no such file',
  );
});
