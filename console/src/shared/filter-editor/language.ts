import { complete, readFilter, tokens, type Vocabulary } from 'openray/filter';

export type { Vocabulary };
/** The server's own parser, so that editor and server accept the same expressions. */
export { complete, tokens };

export type FilterError = { readonly message: string; readonly from: number; readonly to: number };

/** The error of a filter and its position; undefined for a valid filter. An empty one is valid and matches all. */
export function filterErrorIn(text: string): FilterError | undefined {
  const reading = readFilter(text);
  if (reading.ok) return undefined;
  const { message, position, expected } = reading.error;
  const from = Math.min(position, text.length);
  // The word at the position, or the last character where the text ends too early.
  const word = /^[^\s(){}[\],]+/.exec(text.slice(from))?.[0].length ?? (from < text.length ? 1 : 0);
  const hint =
    expected.length === 0 || /expected/i.test(message) ? '' : ` Expected ${expected.slice(0, 6).join(', ')}.`;
  const reason = message.replace(/^Invalid filter expression: /, '').replace(/ at position \d+$/, '');
  return {
    message: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.${hint}`,
    from: word === 0 ? Math.max(0, from - 1) : from,
    to: from + word,
  };
}
