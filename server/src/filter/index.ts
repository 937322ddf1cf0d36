/** `openray/filter`: the language of filter expressions, for the server, the console and anyone else. No I/O. */
export type * from './ast.ts';
export { type Completion, complete, type Vocabulary } from './complete.ts';
export { type EntitySelector, parseEntitySelector, selectsEdge, selectsNode } from './entity-selector.ts';
export { expandGroups, type Group, type GroupLookup } from './groups.ts';
export { KEYWORDS, type Keyword, OPERATORS, type Scope, typeOf, type ValueType } from './keywords.ts';
export { matches, orderOf } from './matches.ts';
export { type FilterError, type FilterParseResult, MAX_FILTER_LENGTH, parseFilter, readFilter } from './parser.ts';
export { printCondition, printField, printFilter } from './print.ts';
export type { FilterSubject } from './subject.ts';
export { type HighlightToken, tokens } from './tokens.ts';
