import type { AnyNumber } from '../model/exact-number.ts';
import type { JsonValue } from '../model/json.ts';
import type { Keyword } from './keywords.ts';
import type { RootCauseKind, RootCauseLevel } from './root-cause-kind.ts';

/** Position of a node in its text: offsets in UTF-16 code units, `end` exclusive. */
export type Range = { readonly start: number; readonly end: number };

/** A whole filter expression. `order` is undefined for a text without ORDER BY. */
export type Filter = {
  readonly kind: 'filter';
  readonly condition: Condition;
  readonly order: Order | undefined;
  readonly range: Range;
};

/** `and` and `or` have at least two operands. Parentheses have no node of their own. */
export type Condition =
  | { readonly kind: 'all'; readonly range: Range }
  | { readonly kind: 'and'; readonly operands: readonly Condition[]; readonly range: Range }
  | { readonly kind: 'or'; readonly operands: readonly Condition[]; readonly range: Range }
  | { readonly kind: 'not'; readonly operand: Condition; readonly range: Range }
  | Term;

export type Term = Present | Comparison | OneOf | ServiceTerm | EdgeTerm | RootCauseTerm | RootCauseJson | GroupTerm;

/** A field without an operator: true if some value of it is not `false`. */
export type Present = { readonly kind: 'present'; readonly field: Field; readonly range: Range };

/** True if the operator holds between some value of `field` and `value`. */
export type Comparison = {
  readonly kind: 'comparison';
  readonly field: Field;
  readonly operator: Operator;
  readonly value: Literal;
  readonly range: Range;
};

/** True if some value of `field` equals one of `values`, of which there is at least one. */
export type OneOf = {
  readonly kind: 'in';
  readonly field: Field;
  readonly values: readonly Literal[];
  readonly range: Range;
};

/** True if some request at a matching service satisfies `where`. Without `service` any service matches. */
export type ServiceTerm = {
  readonly kind: 'service';
  readonly service: Identity | undefined;
  readonly where: Condition | undefined;
  readonly range: Range;
};

/** True if some call on a matching edge satisfies `where`. Without `ends` any edge matches. */
export type EdgeTerm = {
  readonly kind: 'edge';
  readonly ends: { readonly from: Identity; readonly to: Identity } | undefined;
  readonly where: Condition | undefined;
  readonly range: Range;
};

/** True if some service, entity or exception on the path to a root cause satisfies `where`. */
export type RootCauseTerm = {
  readonly kind: 'rootcause';
  readonly cause: RootCauseKind;
  readonly level: RootCauseLevel;
  readonly where: Condition;
  readonly range: Range;
};

/** True if the root causes of some kind contain the pattern `rootCauses`. */
export type RootCauseJson = {
  readonly kind: 'rootcause-json';
  readonly operator: '=' | '!=';
  readonly rootCauses: readonly JsonValue[];
  readonly range: Range;
};

/** True if the trace is in the group of that name or ARN; `!=` is the opposite. */
export type GroupTerm = {
  readonly kind: 'group';
  readonly by: 'name' | 'arn';
  readonly operator: '=' | '!=';
  readonly value: string;
  readonly range: Range;
};

export type Field =
  | { readonly kind: 'keyword'; readonly keyword: Keyword; readonly range: Range }
  /** `end` is set for `source.annotation` and `destination.annotation`, which exist for edges only. */
  | {
      readonly kind: 'annotation';
      readonly key: string;
      readonly end: 'source' | 'destination' | undefined;
      readonly range: Range;
    }
  /** A value inside an entity's `metadata`, the namespace first. At least one step. */
  | { readonly kind: 'metadata'; readonly path: readonly string[]; readonly range: Range }
  /** A value inside the entity as it was sent. At least one step. */
  | { readonly kind: 'segment'; readonly path: readonly string[]; readonly range: Range };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'CONTAINS' | 'BEGINSWITH' | 'ENDSWITH' | 'MATCHES';

export type Literal = { readonly value: string | AnyNumber | boolean; readonly range: Range };

/** Selects the services that equal it in every given member. At least one member is given. */
export type Identity = {
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
  readonly range: Range;
};

/** Order of a list of traces. Traces without the value come last in both directions. */
export type Order = {
  readonly kind: 'order';
  readonly by: 'start' | 'duration' | 'responsetime';
  readonly direction: 'ascending' | 'descending';
  readonly range: Range;
};
