import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AllowedPages, refusalReason } from './request-origin.ts';

type Headers = Readonly<Record<string, string>>;

const APP = 'https://app.example';
const onlyApp = (origin: string) => origin === APP;

function isRefused(headers: Headers, pages: AllowedPages = 'local', method = 'POST'): boolean {
  return refusalReason({ method, headers }, pages) !== undefined;
}

describe('the host', () => {
  const local = [
    ...['localhost', 'localhost:2000', 'LocalHost:2000', '127.0.0.1:2000', '127.1.2.3', '[::1]:2000', '[::1]'],
    ...['Shop.localhost:3000', 'my-fn.lambda-url.localhost:3000'],
  ];
  const foreign = [
    ...[
      'a.evil.test:2000',
      'evil.test',
      '',
      ':2000',
      'localhost.evil.test',
      '127.0.0.1.evil.test',
      '127.0.0.1evil.test',
    ],
    ...['evil.test:2000.localhost.evil.test', 'notlocalhost', '.localhost', '192.168.1.2:2000', '0.0.0.0:2000'],
    ...[
      '[::2]:2000',
      '[fe80::1]',
      'localhost:2000@evil.test',
      'evil.test#localhost',
      'localhost\n.evil.test',
      '128.0.0.1',
    ],
  ];

  test.each(local)('%j is an address of this machine', (host) => {
    for (const pages of ['none', 'local', onlyApp] as const) expect(isRefused({ host }, pages)).toBe(false);
  });

  test.each(foreign)('%j is refused at every listener', (host) => {
    for (const pages of ['none', 'local', onlyApp, () => true] as const) expect(isRefused({ host }, pages)).toBe(true);
  });

  const rules: readonly AllowedPages[] = ['none', 'local', () => true];

  test('that is any generated domain is refused, with its own page as the origin or without', () => {
    fc.assert(
      fc.property(fc.domain(), fc.constantFrom(...rules), (host, pages) => {
        expect(isRefused({ host }, pages)).toBe(true);
        expect(isRefused({ host, origin: `http://${host}` }, pages)).toBe(true);
      }),
    );
  });

  test('is optional, as in HTTP/1.0', () => {
    expect(isRefused({})).toBe(false);
  });
});

describe('a page', () => {
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
  /** Refused at a port for programs, at a port for local pages, at a port that also allows `APP`. */
  const table: readonly (readonly [string, string, Headers, boolean, boolean, boolean])[] = [
    ['a program', 'POST', {}, false, false, false],
    ['the fetch of Node', 'POST', { 'sec-fetch-mode': 'cors' }, false, false, false],
    [
      'a page of the console',
      'POST',
      { origin: 'http://localhost:2000', 'sec-fetch-site': 'same-origin' },
      true,
      false,
      false,
    ],
    ['a page of another local port', 'POST', { origin: 'http://127.0.0.1:5173' }, true, false, false],
    ['a page of another local name', 'POST', { origin: 'http://shop.localhost' }, true, false, false],
    ['a page of the application', 'POST', { origin: APP, 'sec-fetch-site': 'cross-site' }, true, true, false],
    [
      'a page of another site',
      'POST',
      { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
      true,
      true,
      true,
    ],
    ['a page of a similar name', 'POST', { origin: 'http://localhost.evil.test' }, true, true, true],
    ['a preflight request of another site', 'OPTIONS', { origin: 'https://evil.test' }, true, true, true],
    ['a sandboxed frame', 'POST', { origin: 'null' }, true, true, true],
    ['an extension', 'POST', { origin: 'chrome-extension://abcdef' }, true, true, true],
    ['an address that the user typed', 'GET', { ...link, 'sec-fetch-site': 'none' }, true, false, false],
    ['a link from another site', 'GET', link, true, false, false],
    ['a form of another site', 'POST', { ...link, origin: 'https://evil.test' }, true, true, true],
    ['a form without an origin', 'POST', link, true, true, true],
    ['a frame in another site', 'GET', { ...link, 'sec-fetch-dest': 'iframe' }, true, true, true],
    ['an image in a page without a referer', 'GET', image, true, true, true],
    ['an image in a page of another site', 'GET', { ...image, referer: 'https://evil.test/' }, true, true, true],
    ['an image in a page of the application', 'GET', { ...image, referer: `${APP}/` }, true, true, false],
    ['an image in a local page', 'GET', { ...image, referer: 'http://localhost:5173/' }, true, false, false],
    [
      'an image in a local page of the same site',
      'GET',
      { ...image, 'sec-fetch-site': 'same-site' },
      true,
      false,
      false,
    ],
  ];

  test.each(table)('%s', (_sender, method, headers, programsOnly, localPages, appPages) => {
    const all = { host: 'localhost:2000', ...headers };
    expect([isRefused(all, 'none', method), isRefused(all, 'local', method), isRefused(all, onlyApp, method)]).toEqual([
      programsOnly,
      localPages,
      appPages,
    ]);
  });

  test('that is refused is named, within a bound', () => {
    const reason = refusalReason({ method: 'POST', headers: { origin: `https://${'e'.repeat(5000)}.test` } }, 'local');
    expect(reason).toMatch(/^pages of https:\/\/e+ may not call this server$/);
    expect(reason?.length).toBeLessThan(200);
  });
});

test('every file that opens an HTTP listener asks for the reason to refuse', () => {
  const root = fileURLToPath(new URL('.', import.meta.url));
  const openers = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('testing/'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => /\bcreateServer\(|\bcreateSecureServer\(|\bFastify\(/.test(text))
    // Raw sockets are not HTTP: the lock of the data directory.
    .filter(({ text }) => !/import \{[^}]*\bcreateServer\b[^}]*\} from 'node:net'/.test(text));
  expect(openers.map(({ path }) => path).sort()).toEqual([
    'http/app.ts',
    'http/gateway.ts',
    'lambda/runtime/runtime-api.ts',
    'lambda/services/local-endpoint.ts',
  ]);
  for (const { path, text } of openers)
    expect([path, /\b(refusalReason|checkOrigin)\(/.test(text)]).toEqual([path, true]);
});
