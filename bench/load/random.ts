/** Numbers that look random and are the same for the same seed on every machine. */
export type Random = {
  /** 32 bits, as a whole number from 0 on. */
  next(): number;
  /** From 0 on, below 1. */
  share(): number;
  /** A whole number from 0 on, below `count`. */
  below(count: number): number;
  /** Small numbers most often, as with the popularity of services and users. */
  skewed(count: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Hex digits, eight a step. */
  hex(digits: number): string;
};

/** The stream of numbers that belongs to `seed` and `stream`: each trace has its own, so that any one can be made alone. */
export function seededRandom(seed: number, stream: number): Random {
  let state = mix(mix(seed | 0) ^ (stream | 0));
  // Mulberry32.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  };
  const share = () => next() / 0x1_0000_0000;
  const below = (count: number) => Math.floor(share() * count);
  return {
    next,
    share,
    below,
    skewed: (count) => Math.floor(share() ** 2 * count),
    pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item,
    hex(digits) {
      let text = '';
      while (text.length < digits) text += next().toString(16).padStart(8, '0');
      return text.slice(0, digits);
    },
  };
}

/** Spreads neighbouring numbers over all 32 bits (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let bits = value ^ 0x5bd1e995;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
