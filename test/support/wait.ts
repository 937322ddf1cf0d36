import { vi } from 'vitest';

const PATIENT = { timeout: 60_000, interval: 20 };

/** Repeats an assertion until it holds and gives its result; rejects with its last failure after 60 s. */
export async function eventually<Result>(assertion: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(assertion, PATIENT);
}

/** Asks until the answer is not undefined; rejects with what was waited for, and the last failure, after 60 s. */
export async function waitFor<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined> | Answer | undefined,
): Promise<Answer> {
  return eventually(async () => {
    const answer = await ask();
    if (answer === undefined) throw new Error(`waited in vain for ${what}`);
    return answer;
  });
}
