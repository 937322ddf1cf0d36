import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { serveConsole } from './console.ts';
import { handleErrors } from './errors.ts';

const ROUTES = new URL('../../../console/src/routes.tsx', import.meta.url);

async function newConsoleApp() {
  const dir = await mkdtemp(join(tmpdir(), 'openray-console-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'index.html'), '<title>openray</title>');
  await writeFile(join(dir, 'favicon.svg'), '<svg/>');
  await mkdir(join(dir, 'assets'));
  await writeFile(join(dir, 'assets/app-1.js'), 'start();');
  const app = Fastify();
  onTestFinished(() => app.close());
  handleErrors(app);
  app.get('/health', async () => ({ status: 'ok' }));
  await serveConsole(app, dir);
  return app;
}

const ID = '1-58406520-a006649127e371903a2de979';

test.each([
  // No header at all, as curl -H 'Accept:' sends.
  [undefined, true],
  ['*/*', true],
  ['text/html,application/xhtml+xml;q=0.9', true],
  ['application/json, text/plain, */*', true],
  ['text/plain', true],
  ['', true],
  ['application/json', false],
  ['application/json; charset=utf-8, application/problem+json', false],
])('accept "%s" gets the page on the paths of pages: %s', async (accept, isPage) => {
  const app = await newConsoleApp();
  const routes = (await readFile(ROUTES, 'utf8')).matchAll(/^ {2}path: '([^']+)'/gm);
  const paths = Array.from(routes, ([, path = '']) => path.replace('$id', ID));
  expect(paths.length).toBeGreaterThan(5);
  for (const path of [...paths, '/?range=1h', `/traces/${ID}?entity=a`, '/traces/']) {
    const response = await app.inject({ url: path, headers: accept === undefined ? {} : { accept } });
    expect([path, response.statusCode, response.body.includes('<title>')]).toEqual([path, isPage ? 200 : 404, isPage]);
  }
});

test.each([
  ['GET', '/nothing', '*/*', 404],
  ['GET', '/nothing', 'text/html', 200],
  ['GET', '/traces/a/b', '*/*', 404],
  ['POST', '/traces', '*/*', 404],
  ['HEAD', '/traces', '*/*', 200],
  ['GET', '/health', 'text/html', 200],
] as const)('%s %s, accept %s, answers %i', async (method, url, accept, status) => {
  const app = await newConsoleApp();
  expect((await app.inject({ method, url, headers: { accept } })).statusCode).toBe(status);
});

test.each([
  ['/assets/app-1.js', 200, 'start();', 'public, max-age=31536000, immutable'],
  ['/favicon.svg', 200, '<svg/>', 'public, max-age=0'],
  ['/assets/app-2.js', 404, 'UnknownOperationException', undefined],
  ['/assets/', 404, 'UnknownOperationException', undefined],
  ['/assets/..%2findex.html', 404, 'UnknownOperationException', undefined],
])('%s answers %i', async (url, status, body, cacheControl) => {
  const app = await newConsoleApp();
  const response = await app.inject({ url });
  expect(response.statusCode).toBe(status);
  expect(response.body).toContain(body);
  expect(response.headers['cache-control']).toBe(cacheControl);
});
