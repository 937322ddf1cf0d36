import { RE2JS } from 're2js';

/**
 * How long a pattern may be, and how large compiled: together they bound the time a match takes (0.3 s for the worst
 * patterns on 64 KB of text made for them). ClickHouse's RE2 refuses `\pL{900}` for the memory that it would take,
 * and took everything of this size that was tried.
 */
export const MAX_PATTERN_LENGTH = 300;
const MAX_PROGRAM_SIZE = 320;

/** A compiled pattern of RE2's syntax: whether some part of `text` matches, in time linear in its length. */
export type Pattern = (text: string) => boolean;

export type PatternResult =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly reason: string };

/**
 * Compiles what ClickHouse's `match()` takes, so that both give the same answers: RE2's syntax, where `.` also
 * matches line breaks.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function compilePattern(source: string): PatternResult {
  if (source.length > MAX_PATTERN_LENGTH) return refused(`longer than ${MAX_PATTERN_LENGTH} characters`);
  if (/[\0\p{Surrogate}]/u.test(source)) return refused('not text that can be searched for');
  try {
    const compiled = RE2JS.compile(source, RE2JS.DOTALL);
    if (compiled.programSize() > MAX_PROGRAM_SIZE) return refused('too large once its repetitions are written out');
    return { ok: true, pattern: (text) => compiled.test(text) };
  } catch (thrown) {
    return refused(
      thrown instanceof Error
        ? thrown.message.replace('error parsing regexp: ', '').replace('(?s)', '')
        : String(thrown),
    );
  }
}

function refused(reason: string): PatternResult {
  return { ok: false, reason: `the pattern is ${reason}` };
}
