import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, memberOf } from '../../model/json.ts';
import { decodeText } from '../../model/text-encoding.ts';
import { parseTemplateText } from './text.ts';

export type MacroOptions = {
  /** Folder that the locations of included files start from. */
  readonly dir: string;
  readonly parameters: Readonly<Record<string, JsonValue | undefined>>;
  readonly warn: (sentence: string) => void;
};

const FOR_EACH = 'Fn::ForEach::';
const DEPTH_MAX = 20;

/**
 * Expands two transforms of a template: `AWS::Include` of local files, and the loops of `AWS::LanguageExtensions`.
 * A file that cannot be read and a loop without a list are left out, with a warning. Throws SettingInvalid when files
 * include each other.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
 */
export function expandMacros(template: JsonObject, options: MacroOptions): JsonObject {
  return expandObject(template, options, 0);
}

function expand(value: JsonValue, options: MacroOptions, depth: number): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => expand(item, options, depth));
  return isJsonObject(value) ? expandObject(value, options, depth) : value;
}

function expandObject(object: JsonObject, options: MacroOptions, depth: number): JsonObject {
  if (depth > DEPTH_MAX) throw new OpenrayError('SettingInvalid', 'templates include each other without end');
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]): readonly (readonly [string, JsonValue])[] => {
      if (key === 'Fn::Transform' || key === 'Transform') {
        const included = include(value, options, depth);
        return included === undefined ? [[key, value]] : Object.entries(included);
      }
      if (key.startsWith(FOR_EACH)) {
        return Object.entries(expandObject(expandForEach(key, value, options), options, depth + 1));
      }
      return [[key, expand(value, options, depth)]];
    }),
  );
}

/** Undefined for any other transform. */
function include(value: JsonValue, options: MacroOptions, depth: number): JsonObject | undefined {
  if (!isJsonObject(value) || value.Name !== 'AWS::Include') return undefined;
  const location = isJsonObject(value.Parameters) ? value.Parameters.Location : undefined;
  if (typeof location !== 'string' || location.startsWith('s3://')) {
    options.warn(`AWS::Include of ${JSON.stringify(location)} cannot be read here; it is left out.`);
    return {};
  }
  const file = resolvePath(options.dir, location);
  let text: string;
  try {
    text = decodeText(readFileSync(file));
  } catch {
    options.warn(`AWS::Include: ${location} cannot be read; it is left out.`);
    return {};
  }
  return expandObject(parseTemplateText(text, file, options.warn), options, depth + 1);
}

/** `Fn::ForEach::Name: [Identifier, Collection, Fragment]`: the members of the fragment, once for each value. */
function expandForEach(key: string, value: JsonValue, { parameters, warn }: MacroOptions): JsonObject {
  const [identifier, collection, fragment] = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
  const named =
    isJsonObject(collection) && typeof collection.Ref === 'string' ? memberOf(parameters, collection.Ref) : collection;
  const items = Array.isArray(named) ? (named as readonly JsonValue[]) : undefined;
  if (typeof identifier !== 'string' || items === undefined || !isJsonObject(fragment)) {
    warn(`${key} takes an identifier, a list and a fragment; it is left out.`);
    return {};
  }
  return Object.assign({}, ...items.map((item) => replaceIn(fragment, identifier, String(item))));
}

function replaceIn(value: JsonValue, identifier: string, item: string): JsonValue {
  if (typeof value === 'string') return replaceText(value, identifier, item);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((entry) => replaceIn(entry, identifier, item));
  if (!isJsonObject(value)) return value;
  if (value.Ref === identifier) return item;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      replaceText(key, identifier, item),
      replaceIn(entry, identifier, item),
    ]),
  );
}

/** `${Name}` becomes the value; `&{Name}` becomes the value without characters that a logical id cannot have. */
function replaceText(text: string, identifier: string, item: string): string {
  return text.replaceAll(`\${${identifier}}`, item).replaceAll(`&{${identifier}}`, item.replace(/[^A-Za-z0-9]/g, ''));
}
