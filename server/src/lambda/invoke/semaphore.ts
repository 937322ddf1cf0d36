/** A counting semaphore; waiting callers acquire it in order of arrival. */
export type Semaphore = {
  /** Resolves to the function that releases the permit; only its first call counts. */
  readonly acquire: () => Promise<() => void>;
};

export function newSemaphore(count: number): Semaphore {
  const waiting: (() => void)[] = [];
  let free = count;
  const release = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return {
    async acquire() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isHeld = true;
      return () => {
        if (isHeld) release();
        isHeld = false;
      };
    },
  };
}
