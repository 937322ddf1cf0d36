import { printJson } from '../model/exact-json.ts';
import type { Condition, Field, Filter, Identity, Literal } from './ast.ts';

/** The expression in its simplest spelling. Parsing it gives the same tree, except for the ranges. */
export function printFilter(filter: Filter): string {
  const condition = filter.condition.kind === 'all' ? '' : printCondition(filter.condition);
  if (filter.order === undefined) return condition;
  const direction = filter.order.direction === 'ascending' ? 'ASC' : 'DESC';
  return `${condition} ORDER BY ${filter.order.by} ${direction}`.trimStart();
}

/** `all` has no spelling inside other conditions: no text parses to it there. */
export function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'all':
      return '';
    case 'and':
      return condition.operands.map((operand) => inParentheses(operand, ['and', 'or'])).join(' AND ');
    case 'or':
      return condition.operands.map((operand) => inParentheses(operand, ['or'])).join(' OR ');
    case 'not':
      return `!${inParentheses(condition.operand, ['and', 'or', 'comparison', 'in', 'group', 'rootcause-json'])}`;
    case 'present':
      return printField(condition.field);
    case 'comparison':
      return `${printField(condition.field)} ${condition.operator} ${printLiteral(condition.value)}`;
    case 'in':
      return `${printField(condition.field)} IN (${condition.values.map(printLiteral).join(', ')})`;
    case 'service':
      return `service(${condition.service === undefined ? '' : printIdentity(condition.service)})${braces(condition.where)}`;
    case 'edge': {
      const { ends } = condition;
      const between = ends === undefined ? '' : `${printIdentity(ends.from)}, ${printIdentity(ends.to)}`;
      return `edge(${between})${braces(condition.where)}`;
    }
    case 'rootcause':
      return `rootcause.${condition.cause}.${condition.level}${braces(condition.where)}`;
    case 'rootcause-json':
      return `rootcause.json ${condition.operator} #${printJson(condition.rootCauses)}`;
    case 'group':
      return `group.${condition.by} ${condition.operator} ${JSON.stringify(condition.value)}`;
  }
}

function inParentheses(condition: Condition, kinds: readonly Condition['kind'][]): string {
  const text = printCondition(condition);
  return kinds.includes(condition.kind) ? `(${text})` : text;
}

function braces(where: Condition | undefined): string {
  return where === undefined ? '' : ` { ${printCondition(where)} }`;
}

/** A name without type and account is a string; everything else is `id(…)`. */
function printIdentity({ name, type, accountId }: Identity): string {
  if (name !== undefined && type === undefined && accountId === undefined) return JSON.stringify(name);
  const members = Object.entries({ name, type, 'account.id': accountId });
  const given = members.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${JSON.stringify(value)}`]));
  return `id(${given.join(', ')})`;
}

type WithoutRange<T> = T extends unknown ? Omit<T, 'range'> : never;

/** A field as it is spelled in an expression. */
export function printField(field: WithoutRange<Field>): string {
  switch (field.kind) {
    case 'keyword':
      return field.keyword;
    case 'annotation':
      return `${field.end === undefined ? '' : `${field.end}.`}annotation${printStep(field.key)}`;
    case 'metadata':
    case 'segment':
      return `${field.kind}${field.path.map(printStep).join('')}`;
  }
}

function printStep(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function printLiteral({ value }: Literal): string {
  return printJson(value);
}
