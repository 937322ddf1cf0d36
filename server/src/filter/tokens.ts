import { isKeyword } from './keywords.ts';
import { bareValueAt, keyAt, type Token, tokenAt } from './lexer.ts';

/** A piece of text and how to show it. `isOpen` if the text ends inside this string or bracket. */
export type HighlightToken = {
  readonly kind: 'keyword' | 'key' | 'operator' | 'logic' | 'string' | 'number' | 'bool' | 'punctuation' | 'unknown';
  readonly start: number;
  readonly end: number;
  readonly isOpen: boolean;
};

type Kind = HighlightToken['kind'];

/**
 * All of `text` in order, without blanks. Accepts any text: `unknown` marks pieces that are not part of the language.
 */
export function tokens(text: string): readonly HighlightToken[] {
  const found: HighlightToken[] = [];
  const add = (kind: Kind, start: number, end: number, isOpen = false) => {
    if (end > start) found.push({ kind, start, end, isOpen });
  };
  let at = 0;
  let jsonDepth = 0;
  for (;;) {
    const token = isBareValueNext(text, found) ? bareToken(text, at) : tokenAt(text, at);
    if (token.kind === 'end') return found;
    const previous = token.kind === 'symbol' ? found.at(-1) : undefined;
    const isInJson = jsonDepth > 0 || (previous !== undefined && text[previous.start] === '#');
    if (token.kind === 'word') addWord(token.text, token.start, add);
    else add(kindOf(token), token.start, token.end, token.kind === 'bad' && token.isUnterminated);
    at = token.end;
    if (token.kind !== 'symbol') continue;
    if (isInJson) {
      jsonDepth += '[{'.includes(token.text) ? 1 : ']}'.includes(token.text) ? -1 : 0;
    } else if (token.text === '[') {
      const key = keyAt(text, at);
      add('key', key.start, key.end, key.kind === 'bad' && key.isUnterminated);
      at = key.end;
    }
  }
}

function kindOf(token: Exclude<Token, { kind: 'word' | 'end' }>): Kind {
  switch (token.kind) {
    case 'string':
    case 'number':
      return token.kind;
    case 'steps':
      return 'key';
    case 'symbol':
      if (token.text === '!') return 'logic';
      return /[<>=]/.test(token.text) ? 'operator' : 'punctuation';
    case 'bad':
      return token.isUnterminated ? 'string' : 'unknown';
  }
}

const LOGIC = /^(?:and|or|not|order|by|asc|desc)$/i;
const OPERATOR = /^(?:contains|beginswith|endswith|matches|in)$/i;
const PATH_HEAD = /^(?:(?:(?:source|destination)\.)?annotation|metadata|segment)(?=\.|$)/i;
const SELECTOR =
  /^(?:service|edge|id|start|group\.(?:name|arn)|rootcause\.(?:json|(?:fault|error)\.(?:service|entity|exception)|responsetime\.(?:service|entity)))$/i;

function addWord(word: string, start: number, add: (kind: Kind, start: number, end: number) => void): void {
  const head = PATH_HEAD.exec(word)?.[0];
  if (head !== undefined) {
    add('keyword', start, start + head.length);
    add('key', start + head.length, start + word.length);
    return;
  }
  add(wordKind(word), start, start + word.length);
}

function wordKind(word: string): Kind {
  if (LOGIC.test(word)) return 'logic';
  if (OPERATOR.test(word)) return 'operator';
  if (/^(?:true|false|null)$/i.test(word)) return 'bool';
  return SELECTOR.test(word) || isKeyword(word.toLowerCase()) ? 'keyword' : 'unknown';
}

/** Whether the next value may be a word without quotes: only `name` and `type` allow that. */
function isBareValueNext(text: string, found: readonly HighlightToken[]): boolean {
  const [field, operator] = found.slice(-2);
  return (
    operator?.kind === 'operator' && field !== undefined && /^(?:name|type)$/i.test(text.slice(field.start, field.end))
  );
}

function bareToken(text: string, offset: number): Token {
  const token = tokenAt(text, offset);
  const value = token.kind === 'end' ? undefined : bareValueAt(text, token.start);
  if (value === undefined) return token;
  return { kind: 'string', value, start: token.start, end: token.start + value.length };
}
