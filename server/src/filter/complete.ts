import { printJson } from '../model/exact-json.ts';
import type { AnyNumber } from '../model/exact-number.ts';
import type { Field } from './ast.ts';
import type { Expectation, ValueOf } from './cursor.ts';
import { hasEntities, KEYWORDS, type Keyword, type Scope, scopesOf } from './keywords.ts';
import { typeOf } from './operators.ts';
import { expectedAfter } from './parser.ts';
import { printField } from './print.ts';
import { ROOT_CAUSE_LEVELS } from './root-cause-kind.ts';
import { tokens } from './tokens.ts';

/** A completion that an editor offers: it replaces the text from `start` to `end` by `insert`. */
export type Completion = {
  readonly kind: 'keyword' | 'selector' | 'field' | 'operator' | 'logic' | 'value';
  readonly label: string;
  readonly insert: string;
  readonly detail: string;
  readonly start: number;
  readonly end: number;
};

/** Names and values in the traces that are searched. Every member is optional. */
export type Vocabulary = {
  readonly services?: readonly string[];
  readonly serviceTypes?: readonly string[];
  readonly accountIds?: readonly string[];
  readonly groups?: readonly string[];
  readonly groupArns?: readonly string[];
  readonly annotationKeys?: readonly string[];
  readonly metadataPaths?: readonly (readonly string[])[];
  readonly segmentPaths?: readonly (readonly string[])[];
  /** Values seen, by the field as it is spelled: `http.method`, `annotation.tier`. */
  readonly values?: Readonly<Record<string, readonly (string | AnyNumber | boolean)[]>>;
};

type Offer = Omit<Completion, 'start' | 'end'>;

/**
 * Completions at `offset` for the word that is typed there: those that begin with it first, then those that
 * contain it. Empty if there is a mistake in the text before.
 */
export function complete(text: string, offset: number, vocabulary: Vocabulary): readonly Completion[] {
  const before = text.slice(0, offset);
  const start = startOfTyped(before);
  const typed = plain(before.slice(start));
  const end = text[offset] === '"' && before[start] === '"' ? offset + 1 : offset;
  const offers = expectedAfter(before.slice(0, start)).flatMap((expectation) => offersFor(expectation, vocabulary));
  const distinct = [...new Map(offers.map((offer) => [offer.label, offer])).values()];
  const at = (offer: Offer) => plain(offer.label).indexOf(typed);
  const fitting = distinct.filter((offer) => at(offer) >= 0);
  return [...fitting.filter((offer) => at(offer) === 0), ...fitting.filter((offer) => at(offer) > 0)].map((offer) => ({
    ...offer,
    start,
    end,
  }));
}

/** Start of the word, field or open string at the end of `before`; the end of `before` if there is none. */
export function startOfTyped(before: string): number {
  const found = tokens(before);
  let start = before.length;
  for (const token of found.toReversed()) {
    const isTyped = token.isOpen || ['keyword', 'key', 'unknown', 'logic', 'bool'].includes(token.kind);
    const isBracket = token.kind === 'punctuation' && '[]'.includes(before.slice(token.start, token.end));
    const isWord = token.kind === 'operator' && /[a-z]/i.test(before.slice(token.start, token.end));
    if (token.end !== start || before[token.start] === '!' || !(isTyped || isBracket || isWord)) break;
    start = token.start;
  }
  return start;
}

/** The form in which texts are compared: `annotation["a.b"` equals `annotation.a.b`. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll('[', '.').replaceAll(/["\]]/g, '');
}

function offersFor(expectation: Expectation, vocabulary: Vocabulary): readonly Offer[] {
  switch (expectation.kind) {
    case 'term':
      return termOffers(expectation.scope, vocabulary);
    case 'operator':
      return [{ kind: 'operator', label: expectation.operator, insert: `${expectation.operator} `, detail: '' }];
    case 'value':
      return valueOffers(expectation.of, vocabulary);
    case 'text':
      return /^[a-z]/i.test(expectation.text) ? [wordOffer(expectation.text)] : [];
    case 'end':
      return [];
  }
}

function wordOffer(text: string): Offer {
  if (text === 'id') return { kind: 'selector', label: 'id', insert: 'id(', detail: 'by name, type and account' };
  const isMember = text === 'name' || text === 'type' || text === 'account.id';
  return { kind: 'logic', label: text, insert: isMember ? `${text}: ` : text, detail: '' };
}

function termOffers(scope: Scope, vocabulary: Vocabulary): readonly Offer[] {
  const keywords = (Object.keys(KEYWORDS) as Keyword[]).filter((keyword) => scopesOf(keyword).includes(scope));
  return [
    ...keywords.map(
      (keyword): Offer => ({ kind: 'keyword', label: keyword, insert: keyword, detail: KEYWORDS[keyword].description }),
    ),
    ...(scope === 'trace' ? SELECTORS : []),
    ...(hasEntities(scope) ? fieldOffers(scope, vocabulary) : []),
  ];
}

const SELECTORS: readonly Offer[] = [
  { kind: 'selector', label: 'service', insert: 'service(', detail: 'requests at a service' },
  { kind: 'selector', label: 'edge', insert: 'edge(', detail: 'calls from one service to another' },
  ...Object.entries(ROOT_CAUSE_LEVELS).flatMap(([cause, levels]) =>
    levels.map((level): Offer => {
      const label = `rootcause.${cause}.${level}`;
      return { kind: 'selector', label, insert: `${label} { `, detail: 'on the path to a root cause' };
    }),
  ),
  { kind: 'selector', label: 'rootcause.json', insert: 'rootcause.json = #[', detail: 'root causes that contain this' },
  { kind: 'selector', label: 'group.name', insert: 'group.name = ', detail: 'traces of a group' },
  { kind: 'selector', label: 'group.arn', insert: 'group.arn = ', detail: 'traces of a group' },
];

function fieldOffers(scope: Scope, vocabulary: Vocabulary): readonly Offer[] {
  const { annotationKeys = [], metadataPaths = [], segmentPaths = [] } = vocabulary;
  const ends = scope === 'edge' ? ([undefined, 'source', 'destination'] as const) : ([undefined] as const);
  const spelled = [
    ...ends.flatMap((end) => annotationKeys.map((key) => printField({ kind: 'annotation', key, end }))),
    ...metadataPaths.map((path) => printField({ kind: 'metadata', path })),
    ...segmentPaths.map((path) => printField({ kind: 'segment', path })),
  ];
  const heads = ['annotation.', 'metadata.', 'segment.'].map(
    (head): Offer => ({ kind: 'field', label: head, insert: head, detail: '' }),
  );
  return [...spelled.map((label): Offer => ({ kind: 'field', label, insert: label, detail: '' })), ...heads];
}

function valueOffers(of: ValueOf, vocabulary: Vocabulary): readonly Offer[] {
  return knownValues(of, vocabulary).map((value): Offer => {
    const label = printJson(value);
    return { kind: 'value', label, insert: label, detail: '' };
  });
}

function knownValues(of: ValueOf, vocabulary: Vocabulary): readonly (string | AnyNumber | boolean)[] {
  switch (of) {
    case 'json':
      return [];
    case 'service name':
      return vocabulary.services ?? [];
    case 'service type':
      return vocabulary.serviceTypes ?? [];
    case 'account id':
      return vocabulary.accountIds ?? [];
    case 'group.name':
      return vocabulary.groups ?? [];
    case 'group.arn':
      return vocabulary.groupArns ?? [];
    default:
      return fieldValues(of, vocabulary);
  }
}

function fieldValues(field: Field, vocabulary: Vocabulary): readonly (string | AnyNumber | boolean)[] {
  if (typeOf(field) === 'bool') return [true, false];
  const seen = vocabulary.values?.[printField(field)] ?? [];
  switch (field.kind === 'keyword' ? field.keyword : undefined) {
    case 'name':
      return [...seen, ...(vocabulary.services ?? [])];
    case 'type':
      return [...seen, ...(vocabulary.serviceTypes ?? [])];
    case 'account.id':
      return [...seen, ...(vocabulary.accountIds ?? [])];
    default:
      return seen;
  }
}
