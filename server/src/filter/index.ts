/** `openray/filter`: the language of filter expressions, for the server, the console and other programs. No I/O. */
export type * from './ast.ts';
export { type Completion, complete, type Vocabulary } from './complete.ts';
export { type EntitySelector, parseEntitySelector, selectsEdge, selectsNode } from './entity-selector.ts';
export { expandGroups, type Group, type GroupLookup } from './groups.ts';
export { KEYWORDS, type Keyword, type Scope } from './keywords.ts';
export { matches, orderOf } from './matches.ts';
export { OPERATORS, typeOf, type ValueType } from './operators.ts';
export { type FilterError, type FilterParseResult, MAX_FILTER_LENGTH, parseFilter, readFilter } from './parser.ts';
export { printCondition, printField, printFilter } from './print.ts';
export type { RootCauseKind, RootCauseLevel } from './root-cause-kind.ts';
export type { FilterSubject } from './subject.ts';
export { type HighlightToken, tokens } from './tokens.ts';
export { vocabularyFilter } from './vocabulary-filter.ts';
