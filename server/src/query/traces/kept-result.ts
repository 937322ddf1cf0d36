import type { Store } from '../../store/store.ts';

/** The last result of one reading, of each store, for as long as the content of the store does not change. */
export type KeptResult<Value> = {
  /** Undefined when there is none for the content that the store has now. */
  of(store: Store): Value | undefined;
  /** `contentVersion` is that of the store before the reading began. Without one nothing is kept. */
  keep(store: Store, contentVersion: string | undefined, value: Value): void;
};

export function newKeptResult<Value>(): KeptResult<Value> {
  const kept = new WeakMap<Store['query'], { readonly value: Value; readonly contentVersion: string }>();
  return {
    of(store) {
      const last = kept.get(store.query);
      return last !== undefined && last.contentVersion === store.contentVersion() ? last.value : undefined;
    },
    keep(store, contentVersion, value) {
      if (contentVersion !== undefined) kept.set(store.query, { value, contentVersion });
    },
  };
}
