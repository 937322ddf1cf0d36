import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { get as getPlain, type OutgoingHttpHeaders } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type GatewayServerOptions, serveGateway } from './gateway.ts';

const FIXTURES = new URL('../../../fixtures/tls/', import.meta.url);

/** Routes `/api` only. */
async function serve(options: Partial<GatewayServerOptions>): Promise<string> {
  const server = await serveGateway(
    {
      async handle({ path }) {
        const isUnrouted = path !== '/api';
        return { status: isUnrouted ? 403 : 200, headers: [], body: Buffer.from(path), isUnrouted };
      },
      allowsOrigin: () => false,
    },
    { host: '127.0.0.1', port: 0, bodyMaxBytes: 100, ...options },
  );
  onTestFinished(server.close);
  return server.url;
}

test('close answers the request in flight', async () => {
  let answer = () => {};
  let isReceived = () => {};
  const received = new Promise<void>((resolve) => {
    isReceived = resolve;
  });
  const server = await serveGateway(
    {
      async handle() {
        isReceived();
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return { status: 200, headers: [], body: Buffer.from('done') };
      },
      allowsOrigin: () => false,
    },
    { host: '127.0.0.1', port: 0, bodyMaxBytes: 100 },
  );
  const response = fetch(server.url);
  await received;
  const closed = server.close();
  answer();
  expect(await (await response).text()).toBe('done');
  await closed;
  await expect(fetch(server.url)).rejects.toThrow();
});

/** Sends the path as it is; fetch would normalize it. */
function rawGet(port: number, path: string, headers: OutgoingHttpHeaders) {
  return new Promise<{ readonly status: number | undefined; readonly body: string }>((resolve, reject) => {
    getPlain({ port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
    }).on('error', reject);
  });
}

async function folderWith(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openray-static-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, name), text);
  return folder;
}

describe('with a folder of files', () => {
  test('a file answers a path without a route; routes, other methods and missing files answer as before', async () => {
    const url = await serve({ staticDir: await folderWith('page.html', '<p>hello') });
    const page = await fetch(`${url}/page.html?a=1`);
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      '<p>hello',
    ]);
    expect(await (await fetch(`${url}/api`)).text()).toBe('/api');
    expect((await fetch(`${url}/page.html`, { method: 'POST' })).status).toBe(403);
    expect((await fetch(`${url}/missing.html`)).status).toBe(403);
  });

  test('a link leads to no file outside of the folder', async () => {
    const outside = await folderWith('secret.txt', 'secret');
    const staticDir = await folderWith('page.html', '<p>hello');
    await symlink(join(outside, 'secret.txt'), join(staticDir, 'link.txt'));
    const response = await fetch(`${await serve({ staticDir })}/link.txt`);
    expect([response.status, await response.text()]).toEqual([403, '/link.txt']);
  });

  test('the folder itself answers with its index page', async () => {
    const url = await serve({ staticDir: await folderWith('index.html', '<p>index') });
    expect(await (await fetch(`${url}/`)).text()).toBe('<p>index');
  });

  test('a page of another site reads no file', async () => {
    const url = await serve({ staticDir: await folderWith('page.html', '<p>hello') });
    const response = await fetch(`${url}/page.html`, { headers: { origin: 'https://evil.test' } });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('pages of https://evil.test may not call this server');
  });

  test.each([
    ['/%zz', {}, 400, 'the path is not a valid URL'],
    ['/../page.html', {}, 403, 'the path leads to no file that openray serves'],
    ['/page.html', { range: 'bytes=500-600' }, 416, 'the file does not have the range that the request asks for'],
  ])('an error is a sentence of openray: %s %j', async (path, headers, status, message) => {
    const url = await serve({ staticDir: await folderWith('page.html', '<p>hello') });
    const { port } = new URL(url);
    const answer = await rawGet(Number(port), path, headers);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, { message }]);
  });

  test.each(['/../page.html', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc%2fpasswd', '/%00'])(
    'no path leads out of the folder: %s',
    async (path) => {
      const url = await serve({ staticDir: await folderWith('other.html', 'inside') });
      const response = await fetch(url + path);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toContain('root:');
    },
  );
});

describe('with a certificate', () => {
  test('serves HTTPS', async () => {
    const [cert, key] = await Promise.all(['cert.pem', 'key.pem'].map((name) => readFile(new URL(name, FIXTURES))));
    const url = await serve({ tls: { cert: cert as Buffer, key: key as Buffer } });
    expect(url).toMatch(/^https:/);
    const status = await new Promise((resolve, reject) => {
      get(`${url}/api`, { ca: cert }, (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(200);
  });

  test('that is invalid stops the start with a sentence that names it', async () => {
    const tls = { cert: Buffer.from('no'), key: Buffer.from('no') };
    await expect(serve({ tls })).rejects.toMatchObject({
      code: 'SettingInvalid',
      message: expect.stringContaining('the certificate and its key cannot be used'),
    });
  });
});
