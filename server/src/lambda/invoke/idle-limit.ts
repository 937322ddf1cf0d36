/** Bounds the idle environments of all functions together. */
export type IdleLimit = {
  /**
   * Counts an environment that became idle. When there are too many, the one that is idle longest is evicted, never the
   * one that was just used. Returns the function to call when the environment is idle no more.
   */
  readonly add: (evict: () => void) => () => void;
};

export function newIdleLimit(maxIdle: number): IdleLimit {
  // A set keeps the order in which its members were added.
  const idle = new Set<() => void>();
  return {
    add(evict) {
      const longestIdle = idle.values().next().value;
      if (longestIdle !== undefined && idle.size >= maxIdle) {
        idle.delete(longestIdle);
        longestIdle();
      }
      idle.add(evict);
      return () => void idle.delete(evict);
    },
  };
}
