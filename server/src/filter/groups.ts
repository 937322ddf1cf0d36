import type { Condition, Filter, GroupTerm } from './ast.ts';
import { invalidFilter } from './parser.ts';

/** A group that a filter may name. `filter` is undefined for `Default`, which every trace is in. */
export type Group = { readonly name: string; readonly filter: Filter | undefined };

/** Finds a group by its name or ARN; undefined where there is none. */
export type GroupLookup = (by: 'name' | 'arn', value: string) => Group | undefined;

/** Bounds the tree that groups inside groups unfold to: 25 groups can name each other billions of times over. */
const MAX_EXPANSIONS = 1_000;
const MAX_CHAIN = 32;

/** What no trace matches: the meaning of a group that does not exist. */
const NO_TRACE = { kind: 'not', operand: { kind: 'all', range: { start: 0, end: 0 } } } as const;

/**
 * The filter with every group replaced by its condition. An unknown group has no traces. Ranges inside a group's
 * condition are those of the group's own text; its order is ignored.
 * Throws InvalidRequestException where groups name each other in a circle, or unfold without end in sight.
 */
export function expandGroups(filter: Filter, groups: GroupLookup): Filter {
  let expansions = 0;
  return { ...filter, condition: expand(filter.condition, [], undefined) };

  /** `at` is the place in the first text that led here. */
  function expand(condition: Condition, chain: readonly string[], at: number | undefined): Condition {
    switch (condition.kind) {
      case 'and':
      case 'or':
        return { ...condition, operands: condition.operands.map((operand) => expand(operand, chain, at)) };
      case 'not':
        return { ...condition, operand: expand(condition.operand, chain, at) };
      case 'group': {
        const members = membersOf(condition, chain, at ?? condition.range.start);
        return condition.operator === '=' ? members : { kind: 'not', operand: members, range: condition.range };
      }
      // Groups can only be named outside braces, so that nothing else can hold one.
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

  function membersOf(term: GroupTerm, chain: readonly string[], at: number): Condition {
    const group = groups(term.by, term.value);
    const { range } = term;
    if (group === undefined) return { ...NO_TRACE, range };
    if (group.filter === undefined) return { kind: 'all', range };
    const longer = [...chain, group.name];
    if (chain.includes(group.name)) throw invalidFilter(`groups name each other, ${longer.join(' > ')},`, at);
    expansions += 1;
    if (expansions > MAX_EXPANSIONS || longer.length > MAX_CHAIN) {
      throw invalidFilter('too many groups inside groups', at);
    }
    return expand(group.filter.condition, longer, at);
  }
}
