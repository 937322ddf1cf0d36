import type { Condition, Filter, GroupTerm } from './ast.ts';
import { invalidFilter } from './parser.ts';

/** A group that a filter may name. `filter` is undefined for `Default`, which contains every trace. */
export type Group = { readonly name: string; readonly filter: Filter | undefined };

/** Finds a group by its name or ARN; undefined if there is none. */
export type GroupLookup = (by: 'name' | 'arn', value: string) => Group | undefined;

/** Limit of expanded groups in one filter: 25 groups that name each other can expand to billions of nodes. */
const MAX_EXPANSIONS = 1_000;
const MAX_CHAIN = 32;

/** Matches no trace. A group that does not exist means this. */
const NO_TRACE = { kind: 'not', operand: { kind: 'all', range: { start: 0, end: 0 } } } as const;

/**
 * Replaces every group in the filter by its condition. An unknown group has no traces. Ranges inside a group's
 * condition are those of the group's own text. The order of a group's filter is ignored.
 * Throws InvalidRequestException if groups name each other in a circle, or expand beyond the limits.
 */
export function expandGroups(filter: Filter, groups: GroupLookup): Filter {
  let expansions = 0;
  return { ...filter, condition: expand(filter.condition, [], undefined) };

  /** `position` is the offset of the outermost group in the text of `filter`. */
  function expand(condition: Condition, chain: readonly string[], position: number | undefined): Condition {
    switch (condition.kind) {
      case 'and':
      case 'or':
        return { ...condition, operands: condition.operands.map((operand) => expand(operand, chain, position)) };
      case 'not':
        return { ...condition, operand: expand(condition.operand, chain, position) };
      case 'group': {
        const members = membersOf(condition, chain, position ?? condition.range.start);
        return condition.operator === '=' ? members : { kind: 'not', operand: members, range: condition.range };
      }
      // A group cannot be named inside braces, so these conditions contain none.
      case 'all':
      case 'present':
      case 'comparison':
      case 'in':
      case 'service':
      case 'edge':
      case 'rootcause':
      case 'rootcause-json':
        return condition;
    }
  }

  function membersOf(term: GroupTerm, chain: readonly string[], position: number): Condition {
    const group = groups(term.by, term.value);
    const { range } = term;
    if (group === undefined) return { ...NO_TRACE, range };
    if (group.filter === undefined) return { kind: 'all', range };
    const longer = [...chain, group.name];
    if (chain.includes(group.name)) throw invalidFilter(`groups name each other, ${longer.join(' > ')},`, position);
    expansions += 1;
    if (expansions > MAX_EXPANSIONS || longer.length > MAX_CHAIN) {
      throw invalidFilter('too many groups inside groups', position);
    }
    return expand(group.filter.condition, longer, position);
  }
}
