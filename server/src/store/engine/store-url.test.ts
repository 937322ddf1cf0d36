import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskStoreUrl, parseStoreUrl } from './store-url.ts';

test('a URL with only a host has defaults for the rest', () => {
  expect(parseStoreUrl('http://db.internal')).toEqual({
    endpoints: ['http://db.internal:8123'],
    username: 'default',
    password: '',
    database: 'openray',
    cluster: undefined,
    isCompressed: true,
  });
});

test('a cluster has several hosts', () => {
  expect(parseStoreUrl('https://ray:p%40ss:word@one,two:9440,[::1]:443/traces?cluster=main')).toEqual({
    endpoints: ['https://one:8443', 'https://two:9440', 'https://[::1]:443'],
    username: 'ray',
    password: 'p@ss:word',
    database: 'traces',
    cluster: { name: 'main', isReplicated: true },
    isCompressed: true,
  });
});

test('rows to this machine are not compressed by default', () => {
  expect(parseStoreUrl('http://127.0.0.1:8123,localhost:8124').isCompressed).toBe(false);
  expect(parseStoreUrl('http://127.0.0.1:8123,far:8124').isCompressed).toBe(true);
  expect(parseStoreUrl('http://localhost/?compression=1').isCompressed).toBe(true);
});

test.each([
  ['db:8123/openray', 'is not of the form'],
  ['tcp://db:9000', 'is not of the form'],
  ['http://db/a-b', 'has a database name'],
  ["http://db/x?cluster=a'b", 'has a cluster name'],
  ['http://db/?cluster=a&replicas=2', 'unknown parameter, replicas'],
  ['http://db/?cluster=a&replicated=no', 'has replicated=no'],
  ['http://db/?replicated=0', 'says replicated without a cluster'],
  ['http://a,,b/', 'has an invalid host'],
  ['http://u:100%@db/', 'percent sign'],
])('%s is rejected: it %s', (url, reason) => {
  expect(() => parseStoreUrl(url)).toThrow(reason);
});

test('any user and password are parsed, and the masked URL never contains the password', () => {
  const text = fc.string({ unit: 'binary', minLength: 1 });
  fc.assert(
    fc.property(text, text, (username, password) => {
      const url = `http://${encodeURIComponent(username)}:${encodeURIComponent(password)}@db:8123/openray`;
      expect(parseStoreUrl(url)).toMatchObject({ username, password });
      expect(maskStoreUrl(url)).toBe(`http://${encodeURIComponent(username)}:***@db:8123/openray`);
    }),
  );
});

test('any text is parsed or rejected with SettingInvalid', () => {
  const url = fc
    .tuple(fc.constantFrom('http://', 'https://', ''), fc.string(), fc.constantFrom('@', ''), fc.string())
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.string(), url), (any) => {
      try {
        expect(parseStoreUrl(any).endpoints.length).toBeGreaterThan(0);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'SettingInvalid' });
      }
    }),
  );
});
