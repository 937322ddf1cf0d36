import type { GatewayRoute } from '../spec/routes.ts';

export type RouteMatch = { readonly route: GatewayRoute; readonly pathParameters: Readonly<Record<string, string>> };

/**
 * The route for a request: the one with the most exact path (text before `{name}` before `{name+}`, from left to
 * right), and of those the one that names the method. `path` is percent-encoded; the parameters are decoded.
 */
export function matchRoute(routes: readonly GatewayRoute[], method: string, path: string): RouteMatch | undefined {
  const matches = routes
    .filter((route) => route.method === 'ANY' || route.method === method)
    .flatMap((route) => {
      const pathParameters = matchPath(route.path, path);
      return pathParameters === undefined ? [] : [{ route, pathParameters }];
    });
  return matches.sort((a, b) => compareExactness(a.route, b.route))[0];
}

/** The parameters; undefined when the path does not match. A slash at the end is ignored. */
export function matchPath(template: string, path: string): Readonly<Record<string, string>> | undefined {
  if (template === '$default') return {};
  const expected = segmentsOf(template);
  const actual = segmentsOf(path);
  const parameters: Record<string, string> = {};
  for (const [index, segment] of expected.entries()) {
    const name = /^\{([^}+]+)(\+?)\}$/.exec(segment);
    const value = actual[index];
    if (value === undefined) return undefined;
    if (name === null) {
      if (value !== segment && decode(value) !== segment) return undefined;
    } else if (name[2] === '+') {
      parameters[name[1] as string] = actual.slice(index).map(decode).join('/');
      return parameters;
    } else {
      parameters[name[1] as string] = decode(value);
    }
  }
  return actual.length === expected.length ? parameters : undefined;
}

function compareExactness(a: GatewayRoute, b: GatewayRoute): number {
  const [left, right] = [rankOf(a.path), rankOf(b.path)];
  return left < right ? -1 : left > right ? 1 : Number(a.method === 'ANY') - Number(b.method === 'ANY');
}

/** Sorts exact before variable before greedy, segment by segment. */
function rankOf(path: string): string {
  if (path === '$default') return '9';
  return segmentsOf(path)
    .map((segment) => (segment.endsWith('+}') ? '2' : segment.startsWith('{') ? '1' : '0'))
    .join('');
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
