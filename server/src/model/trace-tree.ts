import { byStart, durationUsOf, type Entity } from './entity.ts';
import { printJson } from './exact-json.ts';
import { readObject } from './json.ts';
import type { Trace } from './trace.ts';

export type TreeOptions = {
  /**
   * Adds outcome, namespace, annotations and exceptions to each line; without them the text is that of `sam traces`.
   */
  readonly isDetailed?: boolean;
};

/** Deeper lines are not indented further: the blanks of 10,000 levels alone would be 100 MB. */
const MAX_INDENT = 100;

/**
 * The trace as text, one line per entity, children two blanks deeper than their parent:
 * ` - 1.029s - orders [HTTP: 200]`. Seconds have three decimals; `…` replaces them while the entity is in progress.
 * Entities whose parent was not received are not indented.
 */
export function traceTree(trace: Trace, { isDetailed = false }: TreeOptions = {}): string {
  const lines: string[] = [];
  const tops = [...trace.entities.values()].filter(
    ({ parentId }) => parentId === undefined || !trace.entities.has(parentId),
  );
  const waiting = tops
    .sort(byStart)
    .reverse()
    .map((entity) => ({ entity, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { entity, depth } = next;
    lines.push(`${'  '.repeat(Math.min(depth, MAX_INDENT))}${lineOf(entity)}${isDetailed ? detailsOf(entity) : ''}`);
    const children = trace.childrenOf.get(entity.id) ?? [];
    for (const child of children.toReversed()) waiting.push({ entity: child, depth: depth + 1 });
  }
  return lines.join('\n');
}

function lineOf(entity: Entity): string {
  const us = durationUsOf(entity);
  const seconds = us === undefined ? '…' : `${(us / 1e6).toFixed(3)}s`;
  const status = entity.http?.status;
  return ` - ${seconds} - ${entity.name}${status === undefined ? '' : ` [HTTP: ${status}]`}`;
}

function detailsOf(entity: Entity): string {
  const marks = [
    ...(entity.kind === 'segment' ? [entity.origin ?? 'segment'] : []),
    ...(entity.namespace === undefined ? [] : [entity.namespace]),
    ...(entity.outcome === 'ok' ? [] : [entity.outcome]),
    ...(entity.endUs === undefined ? ['in progress'] : []),
  ];
  const annotations = Object.entries(entity.annotations).map(([key, value]) => `${key}=${printJson(value)}`);
  const namespaces = Object.keys(readObject(entity.metadata) ?? {});
  const metadata = namespaces.length === 0 ? [] : [`metadata: ${namespaces.join(', ')}`];
  const exceptions = (entity.cause?.exceptions ?? []).map(({ type, message }) =>
    [type, message].filter((text) => text !== undefined).join(': '),
  );
  return [
    ...(marks.length === 0 ? [] : [` (${marks.join(', ')})`]),
    ...[...annotations, ...metadata, ...exceptions].map((text) => `  ${text}`),
  ].join('');
}
