import { type CollectionTag, Pair, parseDocument, Scalar, type ScalarTag, YAMLMap, type YAMLSeq } from 'yaml';
import { OpenrayError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

const YAML = 'tag:yaml.org,2002:';
const PLAIN = ['Ref', 'Condition'];
const FUNCTIONS = [
  ...['Base64', 'Cidr', 'FindInMap', 'GetAtt', 'GetAZs', 'ImportValue', 'Join', 'Length', 'Select', 'Split', 'Sub'],
  ...['ToJsonString', 'Transform', 'ForEach', 'And', 'Equals', 'If', 'Not', 'Or', 'Contains', 'ValueOf', 'RefAll'],
];

/**
 * Parses a template to plain JSON. Short tags become their long form, so that one resolver serves YAML and JSON.
 * YAML is version 1.1, as for CloudFormation, but dates stay text. Throws SettingInvalid with file, line and column.
 */
export function parseTemplateText(text: string, file: string): JsonObject {
  const value = file.endsWith('.json') ? parseJson(text, file) : parseYaml(text, file);
  if (!isJsonObject(value)) throw new OpenrayError('SettingInvalid', `${file}: a template is a map with Resources`);
  return value;
}

function parseJson(text: string, file: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OpenrayError('SettingInvalid', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

function parseYaml(text: string, file: string): JsonValue {
  const document = parseDocument(text, {
    version: '1.1',
    customTags: (tags) => [
      ...tags
        .filter((tag) => typeof tag === 'string' || tag.tag !== `${YAML}timestamp`)
        .map(withoutSingleLetters)
        .map(withoutBareDot),
      ...PLAIN.flatMap((name) => shortTag(`!${name}`, name)),
      ...FUNCTIONS.flatMap((name) => shortTag(`!${name}`, `Fn::${name}`)),
    ],
    logLevel: 'error',
  });
  const error = document.errors[0];
  if (error !== undefined) {
    const at = error.linePos?.[0];
    const place = at === undefined ? file : `${file}:${at.line}:${at.col}`;
    const reason = error.message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '');
    throw new OpenrayError('SettingInvalid', `${place}: ${reason}`, { cause: error });
  }
  return document.toJS() as JsonValue;
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

/** `CodeUri: .` is a folder; in YAML 1.1 a lone dot is a number without digits. */
function withoutBareDot<T>(tag: T): T {
  if (typeof tag !== 'object' || tag === null || !('test' in tag) || !(tag.test instanceof RegExp)) return tag;
  return tag.test.test('.') ? { ...tag, test: new RegExp(`^(?=.*[0-9])(?:${tag.test.source})`) } : tag;
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
