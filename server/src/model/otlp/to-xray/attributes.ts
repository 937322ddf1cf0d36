import type { AnyValue, KeyValue } from '../../otlp-messages.ts';

/** Attributes by key. `consumed` are the keys whose value is in another member of the entity. */
export type Attributes = {
  readonly values: ReadonlyMap<string, AnyValue>;
  readonly families: Families;
  /** Usually few: a list is cheaper than a set. */
  consumed: string[];
};

/** The families of keys that are present. It saves look-ups, as most keys are absent. `http` includes `url`. */
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

/** The text of the first key that has one; empty texts are ignored. */
export function firstText({ values }: Attributes, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const found = values.get(key)?.stringValue;
    if (found !== undefined && found !== '') return found;
  }
  return undefined;
}

/** Like `firstText`. The key becomes consumed, and so do all other keys with the same value. */
export function consumeText(attributes: Attributes, ...keys: readonly string[]): string | undefined {
  const found = firstText(attributes, ...keys);
  if (found !== undefined) {
    for (const key of keys) if (attributes.values.get(key)?.stringValue === found) attributes.consumed.push(key);
  }
  return found;
}

/** The whole number of the first key that has one, also as a double or as text. */
export function firstInteger({ values }: Attributes, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const found = integerOf(values.get(key));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Like `firstInteger`. The key becomes consumed, and so do all other keys with the same value. */
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

export function consumeBoolean({ values, consumed }: Attributes, key: string): boolean | undefined {
  const found = values.get(key)?.boolValue;
  if (found !== undefined) consumed.push(key);
  return found;
}

/** The texts of a list; a single text counts as a list of one. */
export function textList({ values }: Attributes, key: string): readonly string[] {
  const value = values.get(key);
  if (value?.stringValue !== undefined) return [value.stringValue];
  return (value?.arrayValue?.values ?? []).flatMap(({ stringValue }) => stringValue ?? []);
}
