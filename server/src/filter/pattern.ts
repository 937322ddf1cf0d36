import { RE2JS } from 're2js';

/**
 * Limits of a pattern's length and of its compiled size. Together they bound the time of a match: 0.3 s for the worst
 * patterns on 64 KB of text made for them. ClickHouse's RE2 refuses `\pL{900}` because of its memory;
 * it accepted every tested pattern within these limits.
 */
export const MAX_PATTERN_LENGTH = 300;
const MAX_PROGRAM_SIZE = 320;

/** A compiled pattern in RE2's syntax. True if a part of `text` matches; takes time linear in its length. */
export type Pattern = (text: string) => boolean;

export type PatternResult =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly reason: string };

/**
 * Compiles a pattern as ClickHouse's `match()` does, so that both give the same results: RE2's syntax, where `.` also
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
