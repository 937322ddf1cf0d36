import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
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
 * Throws SettingInvalid when a file cannot be read or a loop has no list.
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
  const expanded: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(object)) {
    if (key === 'Fn::Transform' || key === 'Transform') {
      const included = include(value, options, depth);
      if (included !== undefined) Object.assign(expanded, included);
      else expanded[key] = value;
    } else if (key.startsWith(FOR_EACH)) {
      Object.assign(expanded, expandObject(expandForEach(key, value, options), options, depth + 1));
    } else {
      expanded[key] = expand(value, options, depth);
    }
  }
  return expanded;
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
  } catch (cause) {
    throw new OpenrayError('SettingInvalid', `AWS::Include: ${location} cannot be read`, { cause });
  }
  return expandObject(parseTemplateText(text, file, options.warn), options, depth + 1);
}

/** `Fn::ForEach::Name: [Identifier, Collection, Fragment]`: the members of the fragment, once for each value. */
function expandForEach(key: string, value: JsonValue, { parameters }: MacroOptions): JsonObject {
  const [identifier, collection, fragment] = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
  const named =
    isJsonObject(collection) && typeof collection.Ref === 'string' ? parameters[collection.Ref] : collection;
  const items = Array.isArray(named) ? (named as readonly JsonValue[]) : undefined;
  if (typeof identifier !== 'string' || items === undefined || !isJsonObject(fragment)) {
    throw new OpenrayError('SettingInvalid', `${key} takes an identifier, a list and a fragment`);
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
