/** Pseudo-random numbers: the same seed gives the same numbers on every machine. */
export type Random = {
  /** An unsigned integer of 32 bits. */
  next(): number;
  /** A number in [0, 1). */
  share(): number;
  /** An integer in [0, count). */
  below(count: number): number;
  /** An integer in [0, count), small ones more often: the popularity of services and users. */
  skewed(count: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Hex digits; uses one number for each eight digits. */
  hex(digits: number): string;
};

/** The numbers of `seed` and `stream`: each trace has its own stream, so that it can be generated alone. */
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

/** Spreads neighbouring numbers over all 32 bits: the finaliser of MurmurHash3. */
function mix(value: number): number {
  let bits = value ^ 0x5bd1e995;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
