import type { JsonObject, JsonValue } from '../json.ts';
import { isJsonObject, readObject } from '../json.ts';
import type { AnyValue, KeyValue } from './types.ts';

/** Plain JSON as a value: whole numbers become integers, null the empty value. */
export function anyValueOf(plain: JsonValue): AnyValue {
  if (typeof plain === 'string') return { stringValue: plain };
  if (typeof plain === 'boolean') return { boolValue: plain };
  if (typeof plain === 'number') return numberValue(plain);
  if (plain === null) return {};
  if (isJsonObject(plain)) {
    const values = Object.entries(plain).map(([key, value]) => ({ key, value: anyValueOf(value) }));
    return { kvlistValue: values.length > 0 ? { values } : {} };
  }
  return { arrayValue: plain.length > 0 ? { values: plain.map(anyValueOf) } : {} };
}

function numberValue(number: number): AnyValue {
  if (Object.is(number, -0)) return { doubleValue: '-0' };
  return Number.isSafeInteger(number) ? { intValue: String(number) } : { doubleValue: number };
}

/** Attributes in the order in which they are added; what is undefined is none. */
export type AttributeList = {
  add(key: string, plain: JsonValue | undefined): void;
  has(key: string): boolean;
  list(): readonly KeyValue[];
};

/** The first value of a key stays: rules add in the order in which they matter. */
export function newAttributes(): AttributeList {
  const entries = new Map<string, AnyValue>();
  return {
    add(key, plain) {
      if (plain !== undefined && !entries.has(key)) entries.set(key, anyValueOf(plain));
    },
    has: (key) => entries.has(key),
    list: () => Array.from(entries, ([key, value]) => (key === '' ? { value } : { key, value })),
  };
}

/** Where in the metadata of a document that was made of a span the rest of the span is. */
export const ROUND_TRIP_NAMESPACE = 'openray.otlp';

/** The attribute of a span that was made of an X-Ray entity that holds the rest of the entity. */
export const ROUND_TRIP_ATTRIBUTE = 'openray.xray';

export function exceptionsOf({ cause }: JsonObject): readonly JsonObject[] {
  const exceptions = readObject(cause)?.exceptions;
  return Array.isArray(exceptions) ? exceptions.filter(isJsonObject) : [];
}
