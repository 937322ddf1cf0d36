/** The lines of one invocation, bounded: a function that prints without end loses its oldest lines. */
export type InvocationLog = {
  readonly add: (line: string) => void;
  /** The lines, each with its line end. When earlier ones were dropped, the first line says how many. */
  readonly text: () => string;
};

export const LOG_MAX_CHARS = 1024 * 1024;

export function openInvocationLog(maxChars = LOG_MAX_CHARS): InvocationLog {
  let lines: string[] = [];
  let first = 0;
  let chars = 0;
  let omitted = 0;
  return {
    add(line) {
      lines.push(line);
      chars += line.length + 1;
      while (chars > maxChars && first < lines.length - 1) {
        chars -= (lines[first]?.length ?? 0) + 1;
        lines[first] = '';
        first++;
        omitted++;
      }
      // Copying the rest is cheap because it is rare.
      if (first > 1024 && first > lines.length / 2) {
        lines = lines.slice(first);
        first = 0;
      }
    },
    text() {
      const omission = omitted === 0 ? [] : [`(${omitted} earlier lines omitted)`];
      return [...omission, ...lines.slice(first)].map((line) => `${line}\n`).join('');
    },
  };
}
