/** What one invocation wrote, bounded: a function that prints without end costs no more than this. */
export type InvocationLog = {
  readonly add: (line: string) => void;
  /** The kept lines, each with its line end; the first says so when earlier ones were left out. */
  readonly text: () => string;
};

export const LOG_MAX_CHARS = 1024 * 1024;

export function openInvocationLog(maxChars = LOG_MAX_CHARS): InvocationLog {
  let lines: string[] = [];
  let first = 0;
  let chars = 0;
  let leftOut = 0;
  return {
    add(line) {
      lines.push(line);
      chars += line.length + 1;
      while (chars > maxChars && first < lines.length - 1) {
        chars -= (lines[first]?.length ?? 0) + 1;
        lines[first] = '';
        first++;
        leftOut++;
      }
      // Moving what is left is cheap when it is seldom.
      if (first > 1024 && first > lines.length / 2) {
        lines = lines.slice(first);
        first = 0;
      }
    },
    text() {
      const note = leftOut === 0 ? [] : [`(${leftOut} earlier lines left out)`];
      return [...note, ...lines.slice(first)].map((line) => `${line}\n`).join('');
    },
  };
}
