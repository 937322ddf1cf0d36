import type { JsonValue } from '../../json.ts';
import type { AnyValue, KeyValue } from '../../otlp-messages.ts';
import { anyValueOf } from '../any-value.ts';

/** Attributes in the order in which they are added. An undefined value adds none. */
export type AttributeList = {
  add(key: string, plain: JsonValue | undefined): void;
  has(key: string): boolean;
  list(): readonly KeyValue[];
};

/** The first value of a key stays: rules add values in the order of their priority. */
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
