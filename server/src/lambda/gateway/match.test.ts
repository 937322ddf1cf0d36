import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FunctionTarget, type GatewayApi, type GatewayRoute, NO_AUTHORIZATION } from '../spec/routes.ts';
import { matchPath, matchRoute } from './match.ts';

const api = { kind: 'rest' } as GatewayApi;

function route(text: string): GatewayRoute {
  const [method = '', path = ''] = text.split(' ');
  return {
    api,
    method,
    path,
    target: { kind: 'function', functionId: text } as FunctionTarget,
    authorization: NO_AUTHORIZATION,
  };
}

const ROUTES = ['ANY /{proxy+}', 'GET /users/{id}', 'ANY /users/{id}', 'GET /users/me', 'ANY $default', 'GET /'].map(
  route,
);

describe('a request', () => {
  test.each([
    ['GET', '/users/me', 'GET /users/me', {}],
    ['GET', '/users/me/', 'GET /users/me', {}],
    ['GET', '/users/7%2F8', 'GET /users/{id}', { id: '7/8' }],
    ['PUT', '/users/7', 'ANY /users/{id}', { id: '7' }],
    ['PUT', '/users/7/orders', 'ANY /{proxy+}', { proxy: 'users/7/orders' }],
    ['GET', '/', 'GET /', {}],
    ['POST', '/', 'ANY $default', {}],
  ])('%s %s goes to %s', (method, path, functionId, pathParameters) => {
    const match = matchRoute(ROUTES, method, path);
    expect(match?.route.target).toMatchObject({ functionId });
    expect(match?.pathParameters).toEqual(pathParameters);
  });

  test('without a matching route has none', () => {
    expect(matchRoute([route('GET /a')], 'POST', '/a')).toBeUndefined();
    expect(matchRoute([route('GET /a')], 'GET', '/a/b')).toBeUndefined();
    expect(matchPath('/{proxy+}', '/')).toBeUndefined();
  });

  test('has the value of a path variable as its parameter', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text !== '.' && text !== '..');
    fc.assert(
      fc.property(value, (text) => {
        expect(matchPath('/a/{b}', `/a/${encodeURIComponent(text)}`)).toEqual({ b: text });
      }),
    );
  });

  test('may be any text', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (template, path) => void matchPath(template, path)));
  });
});
