import { complete, readFilter, tokens, type Vocabulary } from 'openray/filter';

export type { Vocabulary };
/** The console's only door to the filter language: the server's own parser, so that both ends agree. */
export { complete, tokens };

export type FilterError = { readonly message: string; readonly from: number; readonly to: number };

/** What is wrong with `text`, and where; undefined for a filter that the server will take. An empty one matches everything. */
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
