import {
  type CollectionTag,
  Composer,
  type CST,
  type Document,
  type DocumentOptions,
  isScalar,
  Lexer,
  LineCounter,
  Pair,
  type ParseOptions,
  Parser,
  Scalar,
  type ScalarTag,
  type SchemaOptions,
  visit,
  YAMLMap,
  type YAMLParseError,
  type YAMLSeq,
} from 'yaml';
import { OpenrayError } from '../../errors.ts';
import { ExactNumber } from '../../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { indentFlow } from './flow-indent.ts';
import { NUMBER_TAGS, parseJsonAsPython } from './numbers.ts';

const YAML = 'tag:yaml.org,2002:';
const PLAIN = ['Ref', 'Condition'];
const FUNCTIONS = [
  ...['Base64', 'Cidr', 'FindInMap', 'GetAtt', 'GetAZs', 'ImportValue', 'Join', 'Length', 'Select', 'Split', 'Sub'],
  ...['ToJsonString', 'Transform', 'ForEach', 'And', 'Equals', 'If', 'Not', 'Or', 'Contains', 'ValueOf', 'RefAll'],
];

/** Bounds of a template. CloudFormation takes 1 MB; an alias counts as often as it is used. */
const LENGTH_MAX = 5 * 1024 * 1024;
const DEPTH_MAX = 200;
const VALUES_MAX = 500_000;
const WARNINGS_MAX = 20;

/**
 * Parses a template to plain JSON. Short tags become their long form, so that one resolver serves YAML and JSON.
 * Accepts what SAM's parser accepts: YAML version 1.1 in which dates stay text, numbers as
 * Python prints them, a repeated key (the last value counts,
 * and `warn` gets a sentence), lists and quoted texts whose lines are not indented, and JSON with tabs.
 * Throws SettingInvalid with file, line and column.
 */
export function parseTemplateText(
  text: string,
  file: string,
  warn: (sentence: string) => void = () => undefined,
): JsonObject {
  if (text.length > LENGTH_MAX) throw invalid(file, `a template has at most ${LENGTH_MAX} characters`);
  const value = parseJson(text) ?? parseYaml(text, file, warn);
  if (!isJsonObject(value)) throw invalid(file, 'a template is a map with Resources');
  checkBounds(value, file);
  return value;
}

/** Undefined when `text` is not JSON. YAML takes most of JSON too, but no tabs before a value. */
function parseJson(text: string): JsonValue | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return parseJsonAsPython(text);
  } catch {
    return undefined;
  }
}

function parseYaml(text: string, file: string, warn: (sentence: string) => void): JsonValue {
  const lines = new LineCounter();
  const { source, tokens, isCutOff } = parseTokens(text, file, lines);
  const placeOf = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [document, second] = new Composer(YAML_OPTIONS).compose(tokens, true, source.length);
  if (document === undefined) return null;
  if (second !== undefined) throw invalid(file, 'a template is one YAML document; this file holds several');
  // A flow collection that is complete may end at the column of its key.
  const isAllowed = ({ code, message }: YAMLParseError) =>
    !isCutOff && code === 'BAD_INDENT' && message.startsWith('Flow');
  const error = document.errors.find((found) => !isAllowed(found));
  if (error !== undefined) throw invalid(placeOf(error.pos[0]), error.message, error);
  for (const key of repeatedKeys(document).slice(0, WARNINGS_MAX)) {
    warn(`${placeOf(key.range?.[0] ?? 0)}: the key ${String(key.value)} is repeated; its last value counts.`);
  }
  visit(document, { Pair: (_key, { key }) => nameByText(key) });
  try {
    // Aliases share one value here, so that their number costs nothing; checkBounds counts them.
    return document.toJS({ maxAliasCount: -1 }) as JsonValue;
  } catch (cause) {
    throw invalid(file, (cause as Error).message, cause);
  }
}

const REPLACED_TAGS: readonly string[] = ['timestamp', 'int', 'float'].map((name) => `${YAML}${name}`);

const YAML_OPTIONS: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  customTags: (tags) => [
    ...tags.filter((tag) => typeof tag === 'string' || !REPLACED_TAGS.includes(tag.tag)).map(withoutSingleLetters),
    ...NUMBER_TAGS,
    ...PLAIN.flatMap((name) => shortTag(`!${name}`, name)),
    ...FUNCTIONS.flatMap((name) => shortTag(`!${name}`, `Fn::${name}`)),
  ],
  logLevel: 'error',
  uniqueKeys: false,
};

/** Bound of the repairs of one template: each parses the text again. */
const REPAIRS_MAX = 100;

/** Tokens of the text, after each quoted text and flow collection has the indentation that the parser asks for. */
function parseTokens(text: string, file: string, lines: LineCounter) {
  let source = text;
  for (let repairs = 0; ; repairs += 1) {
    const tokens = tokensOf(source, file);
    const { broken, depth } = inspect(tokens);
    // The composer calls itself for each level, and a stack that overflows inside of it may end the process.
    if (depth > DEPTH_MAX) throw tooDeep(file);
    const repaired = broken === undefined || repairs === REPAIRS_MAX ? undefined : indentFlow(source, broken);
    if (repaired === undefined || repaired === source) {
      return { source, tokens: new Parser(lines.addNewLine).parse(source), isCutOff: broken !== undefined };
    }
    source = repaired;
  }
}

/** Checks the depth of flow collections beside the parser, whose time grows with the square of the depth. */
function tokensOf(source: string, file: string): readonly CST.Token[] {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let depth = 0;
  for (const lexeme of new Lexer().lex(source)) {
    if (lexeme === '[' || lexeme === '{') depth += 1;
    else if (lexeme === ']' || lexeme === '}') depth -= 1;
    if (depth > DEPTH_MAX) throw tooDeep(file);
    tokens.push(...parser.next(lexeme));
  }
  return [...tokens, ...parser.end()];
}

/** Depth of the tokens, and the offset of the first quoted text or flow collection that an indentation has cut off. */
function inspect(tokens: readonly CST.Token[]) {
  let depth = 0;
  let broken: number | undefined;
  const waiting: { readonly token: CST.Token; readonly level: number }[] = [];
  const push = (token: CST.Token | null | undefined, level: number) => {
    if (token !== null && token !== undefined) waiting.push({ token, level });
  };
  for (const token of tokens) push(token, 0);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, level } = next;
    depth = Math.max(depth, level);
    if (depth > DEPTH_MAX) break;
    if (isIncomplete(token)) broken = Math.min(broken ?? token.offset, token.offset);
    if (token.type === 'document') push(token.value, level);
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) {
      push(key, level + 1);
      push(value, level + 1);
    }
  }
  return { depth, broken };
}

function isIncomplete(token: CST.Token): boolean {
  switch (token.type) {
    case 'flow-collection':
      return !token.end.some(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end');
    case 'double-quoted-scalar':
      return !/^"[^"\\]*(?:\\[\s\S][^"\\]*)*"$/.test(token.source);
    case 'single-quoted-scalar':
      return !/^'[^']*(?:''[^']*)*'$/.test(token.source);
    default:
      return false;
  }
}

/** The second and later keys of one name in a map, in the order of the text. */
function repeatedKeys(document: Document): readonly Scalar[] {
  const repeated: Scalar[] = [];
  visit(document, {
    Map(_key, { items }) {
      const names = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key) || key.value === '<<') continue;
        const name = String(key.value);
        if (names.has(name)) repeated.push(key);
        names.add(name);
      }
    },
  });
  return repeated;
}

/** The library prints a key that is an object in its own way. */
function nameByText(key: unknown): void {
  if (isScalar(key) && key.value instanceof ExactNumber) key.value = key.value.text;
}

/** Throws SettingInvalid for a value that is nested too deep or, after aliases are replaced, too large. */
function checkBounds(value: JsonValue, file: string): void {
  let count = 0;
  const waiting: { readonly value: JsonValue; readonly level: number }[] = [{ value, level: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    count += 1;
    if (next.level > DEPTH_MAX) throw tooDeep(file);
    if (count > VALUES_MAX) throw invalid(file, `a template has at most ${VALUES_MAX} values; its aliases make more`);
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const member of Object.values(next.value)) waiting.push({ value: member, level: next.level + 1 });
  }
}

function tooDeep(file: string): OpenrayError {
  return invalid(file, `a template has at most ${DEPTH_MAX} levels; this one is nested deeper`);
}

function invalid(place: string, reason: string, cause?: unknown): OpenrayError {
  return new OpenrayError('SettingInvalid', `${place}: ${reason}`, { cause });
}

/** `y` and `n` stay text, as for CloudFormation; in YAML 1.1 they are booleans. */
function withoutSingleLetters<T>(tag: T): T {
  if (typeof tag !== 'object' || tag === null || !('tag' in tag) || tag.tag !== `${YAML}bool`) return tag;
  const isTrue = 'test' in tag && tag.test instanceof RegExp && tag.test.test('yes');
  return {
    ...tag,
    test: isTrue ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/ : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/,
  };
}

/** One tag for scalars, lists and maps: both `!Sub text` and `!Sub [text, map]` are valid. */
function shortTag(tag: string, key: string): (ScalarTag | CollectionTag)[] {
  const wrap = (node: YAMLMap | YAMLSeq) => {
    const map = new YAMLMap();
    map.items.push(new Pair(new Scalar(key), node));
    return map;
  };
  return [
    { tag, resolve: (text: string) => ({ [key]: key === 'Fn::GetAtt' ? splitAttribute(text) : text }) },
    { tag, collection: 'seq', resolve: (node) => wrap(node as YAMLSeq) },
    { tag, collection: 'map', resolve: (node) => wrap(node as YAMLMap) },
  ];
}

/** `A.B.C` to `[A, B.C]`. */
export function splitAttribute(text: string): readonly string[] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
}
