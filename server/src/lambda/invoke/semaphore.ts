/** A number of places that are taken and given back; who finds none waits, first come first served. */
export type Semaphore = {
  /** Resolves to the function that gives the place back. */
  readonly acquire: () => Promise<() => void>;
};

export function newSemaphore(count: number): Semaphore {
  const waiting: (() => void)[] = [];
  let free = count;
  const giveBack = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return {
    async acquire() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isTaken = true;
      return () => {
        if (isTaken) giveBack();
        isTaken = false;
      };
    },
  };
}
