import type { JsonValue } from '../model/json.ts';
import type { Keyword } from './keywords.ts';

/** Where a node stands in its text: offsets in UTF-16 code units, `end` exclusive. */
export type Range = { readonly start: number; readonly end: number };

/** A whole filter expression. `order` is undefined where the text does not ask for one. */
export type Filter = {
  readonly kind: 'filter';
  readonly condition: Condition;
  readonly order: Order | undefined;
  readonly range: Range;
};

/** `and` and `or` have two operands or more; parentheses leave no node of their own. */
export type Condition =
  | { readonly kind: 'all'; readonly range: Range }
  | { readonly kind: 'and'; readonly operands: readonly Condition[]; readonly range: Range }
  | { readonly kind: 'or'; readonly operands: readonly Condition[]; readonly range: Range }
  | { readonly kind: 'not'; readonly operand: Condition; readonly range: Range }
  | Term;

export type Term = Present | Comparison | OneOf | ServiceTerm | EdgeTerm | RootCauseTerm | RootCauseJson | GroupTerm;

/** A field without an operator: it has a value other than `false`. */
export type Present = { readonly kind: 'present'; readonly field: Field; readonly range: Range };

/** Some value of `field` stands in the relation to `value`. */
export type Comparison = {
  readonly kind: 'comparison';
  readonly field: Field;
  readonly operator: Operator;
  readonly value: Literal;
  readonly range: Range;
};

/** Some value of `field` equals one of `values`, of which there is at least one. */
export type OneOf = {
  readonly kind: 'in';
  readonly field: Field;
  readonly values: readonly Literal[];
  readonly range: Range;
};

/** Some request at a matching service satisfies `where`; any service where `service` is undefined. */
export type ServiceTerm = {
  readonly kind: 'service';
  readonly service: Identity | undefined;
  readonly where: Condition | undefined;
  readonly range: Range;
};

/** Some call on a matching edge satisfies `where`; any edge where `ends` is undefined. */
export type EdgeTerm = {
  readonly kind: 'edge';
  readonly ends: { readonly from: Identity; readonly to: Identity } | undefined;
  readonly where: Condition | undefined;
  readonly range: Range;
};

/** Some service, entity or exception on a path of root causes satisfies `where`. */
export type RootCauseTerm = {
  readonly kind: 'rootcause';
  readonly cause: RootCauseKind;
  readonly level: RootCauseLevel;
  readonly where: Condition;
  readonly range: Range;
};

/** Root causes, of any kind, contain `causes` as a pattern. */
export type RootCauseJson = {
  readonly kind: 'rootcause-json';
  readonly operator: '=' | '!=';
  readonly rootCauses: readonly JsonValue[];
  readonly range: Range;
};

/** The trace is in the group of that name or ARN; `!=` is the opposite. */
export type GroupTerm = {
  readonly kind: 'group';
  readonly by: 'name' | 'arn';
  readonly operator: '=' | '!=';
  readonly value: string;
  readonly range: Range;
};

export type Field =
  | { readonly kind: 'keyword'; readonly keyword: Keyword; readonly range: Range }
  /** `end` is set for `source.annotation` and `destination.annotation`, which only an edge has. */
  | {
      readonly kind: 'annotation';
      readonly key: string;
      readonly end: 'source' | 'destination' | undefined;
      readonly range: Range;
    }
  /** A value inside an entity's `metadata`, the namespace first. At least one step. */
  | { readonly kind: 'metadata'; readonly path: readonly string[]; readonly range: Range }
  /** Any value of an entity as it was sent. At least one step. */
  | { readonly kind: 'segment'; readonly path: readonly string[]; readonly range: Range };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'CONTAINS' | 'BEGINSWITH' | 'ENDSWITH' | 'MATCHES';

export type Literal = { readonly value: string | number | boolean; readonly range: Range };

/** What picks services: every given member has to be equal. At least one is given. */
export type Identity = {
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
  readonly range: Range;
};

export type RootCauseKind = 'fault' | 'error' | 'responsetime';
export type RootCauseLevel = 'service' | 'entity' | 'exception';

/** How a list is to be sorted. Traces without the value come last either way. */
export type Order = {
  readonly kind: 'order';
  readonly by: 'start' | 'duration' | 'responsetime';
  readonly direction: 'ascending' | 'descending';
  readonly range: Range;
};
