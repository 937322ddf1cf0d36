import type { JsonObject, JsonValue } from '../../json.ts';
import type { AnyValue, KeyValue } from '../types.ts';

/**
 * A value as plain JSON: bytes in base64, what is not finite as its name, the empty value as null. Integers beyond
 * 2^53 go to the nearest that a number can be; `types.ts` has them exactly.
 */
export function plainOf(value: AnyValue | undefined): JsonValue {
  if (value === undefined) return null;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.doubleValue !== undefined) return value.doubleValue === '-0' ? -0 : value.doubleValue;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainOf);
  if (value.kvlistValue !== undefined) return plainObject(value.kvlistValue.values ?? []);
  return value.bytesValue ?? null;
}

/** Of a key that stands twice the last counts. */
export function plainObject(entries: readonly KeyValue[]): JsonObject {
  return Object.fromEntries(entries.map(({ key = '', value }) => [key, plainOf(value)]));
}

/** Attributes by key, and which of them the view of the span has taken over into members of their own. */
export type Attributes = {
  readonly values: ReadonlyMap<string, AnyValue>;
  readonly families: Families;
  /** Few: a list is cheaper than a set. */
  consumed: string[];
};

/** Which conventions speak: most rules look for keys that are not there. `http` stands for `url` too. */
type Families = { http: boolean; aws: boolean; db: boolean; rpc: boolean };

export function attributesOf(list: readonly KeyValue[] = []): Attributes {
  const values = new Map<string, AnyValue>();
  const families: Families = { http: false, aws: false, db: false, rpc: false };
  for (const { key = '', value = {} } of list) {
    values.set(key, value);
    switch (key.charCodeAt(0)) {
      case 104:
        families.http ||= key.startsWith('http.');
        break;
      case 117:
        families.http ||= key.startsWith('url.');
        break;
      case 97:
        families.aws ||= key.startsWith('aws.');
        break;
      case 100:
        families.db ||= key.startsWith('db.');
        break;
      case 114:
        families.rpc ||= key.startsWith('rpc.');
        break;
    }
  }
  return { values, families, consumed: [] };
}

/** The first of the keys that has a text that is not empty. */
export function firstText({ values }: Attributes, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const found = values.get(key)?.stringValue;
    if (found !== undefined && found !== '') return found;
  }
  return undefined;
}

/** `text`, and the attribute counts as used, as do later ones of the keys that say the same. */
export function consumeText(attributes: Attributes, ...keys: readonly string[]): string | undefined {
  const found = firstText(attributes, ...keys);
  if (found !== undefined) {
    for (const key of keys) if (attributes.values.get(key)?.stringValue === found) attributes.consumed.push(key);
  }
  return found;
}

/** The first of the keys that has a whole number, also as a double or as text. */
export function firstInteger({ values }: Attributes, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const found = integerOf(values.get(key));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `whole`, and the attribute counts as used, as do later ones of the keys that say the same. */
export function consumeInteger(attributes: Attributes, ...keys: readonly string[]): number | undefined {
  const found = firstInteger(attributes, ...keys);
  if (found !== undefined) {
    for (const key of keys) if (integerOf(attributes.values.get(key)) === found) attributes.consumed.push(key);
  }
  return found;
}

function integerOf(value: AnyValue | undefined): number | undefined {
  if (value === undefined) return undefined;
  const { intValue, doubleValue, stringValue } = value;
  if (stringValue !== undefined && !/^-?\d+$/.test(stringValue)) return undefined;
  const number = Number(intValue ?? doubleValue ?? stringValue);
  return Number.isSafeInteger(number) ? number : undefined;
}

export function consumeBoolean({ values, consumed: used }: Attributes, key: string): boolean | undefined {
  const found = values.get(key)?.boolValue;
  if (found !== undefined) used.push(key);
  return found;
}

/** The texts of a list, or the one text that stands for a list of one. */
export function textList({ values }: Attributes, key: string): readonly string[] {
  const value = values.get(key);
  if (value?.stringValue !== undefined) return [value.stringValue];
  return (value?.arrayValue?.values ?? []).flatMap(({ stringValue }) => stringValue ?? []);
}
