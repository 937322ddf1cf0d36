import { vi } from 'vitest';

const PATIENT = { timeout: 60_000, interval: 20 };

/** Repeats an assertion until it passes and returns its result; rejects with the last failure after 60 s. */
export async function eventually<Result>(assertion: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(assertion, PATIENT);
}

/** Calls `read` until its result is not undefined; rejects with the `description` after 60 s. */
export async function waitFor<Result>(
  description: string,
  read: () => Promise<Result | undefined> | Result | undefined,
): Promise<Result> {
  return eventually(async () => {
    const result = await read();
    if (result === undefined) throw new Error(`timeout while waiting for ${description}`);
    return result;
  });
}
