import type { ServiceId } from '../model/graph.ts';
import type { Identity } from './ast.ts';
import { accept, type Cursor, expect, fail } from './cursor.ts';
import { parseEnds, parseIdentity, selectsService } from './identity.ts';
import { invalidFilter, read } from './parser.ts';

/** The subject of a time series: one service, or the calls between two. */
export type EntitySelector =
  | { readonly kind: 'service'; readonly service: Identity }
  | { readonly kind: 'edge'; readonly from: Identity; readonly to: Identity };

const MAX_SELECTOR_LENGTH = 500;

/**
 * Parses an EntitySelectorExpression: `service("name")`, `service(id(…))` or `edge(…, …)`, without braces.
 * Throws InvalidRequestException with the reason and the offset of the mistake.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetTimeSeriesServiceStatistics.html
 */
export function parseEntitySelector(text: string): EntitySelector {
  const result = read(text, MAX_SELECTOR_LENGTH, parseSelector);
  if (result.ok) return result.value;
  throw invalidFilter(result.error.message, result.error.position);
}

function parseSelector(cursor: Cursor): EntitySelector {
  const selector = parseKind(cursor);
  expect(cursor, ')');
  if (cursor.token.kind !== 'end') fail(cursor, 'expected the end');
  return selector;
}

function parseKind(cursor: Cursor): EntitySelector {
  if (accept(cursor, 'service')) {
    expect(cursor, '(');
    return { kind: 'service', service: parseIdentity(cursor) };
  }
  if (!accept(cursor, 'edge')) return fail(cursor, 'expected service(…) or edge(…)');
  expect(cursor, '(');
  return { kind: 'edge', ...parseEnds(cursor) };
}

/** Whether the selector selects this service; false for a selector of edges. */
export function selectsNode(selector: EntitySelector, service: ServiceId): boolean {
  return selector.kind === 'service' && selectsService(selector.service, service);
}

/** Whether the selector selects the calls between these services; false for a selector of services. */
export function selectsEdge(selector: EntitySelector, from: ServiceId, to: ServiceId): boolean {
  return selector.kind === 'edge' && selectsService(selector.from, from) && selectsService(selector.to, to);
}
