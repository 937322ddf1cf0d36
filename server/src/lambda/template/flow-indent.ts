const DOUBLE_QUOTED = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;
const SINGLE_QUOTED = /'[^']*(?:''[^']*)*'/y;

/**
 * `text` with the lines of one quoted text or flow collection indented behind its first character, at `start`. YAML asks
 * for this indentation, and SAM's parser does not. The value stays the same: in both, white space at the begin of a line
 * has no meaning. Returns `text` when the end is missing.
 */
export function indentFlow(text: string, start: number): string {
  const end = endOf(text, start);
  if (end === undefined) return text;
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const inner = text.slice(start, end).replaceAll('\n', `\n${' '.repeat(column + 1)}`);
  return text.slice(0, start) + inner + text.slice(end);
}

function endOf(text: string, start: number): number | undefined {
  const first = text.charAt(start);
  if (first === '"') return endOfMatch(DOUBLE_QUOTED, text, start);
  if (first === "'") return endOfMatch(SINGLE_QUOTED, text, start);
  return endOfCollection(text, start);
}

/** Behind the bracket that closes the one at `start`. Brackets in quoted texts and comments do not count. */
function endOfCollection(text: string, start: number): number | undefined {
  let depth = 0;
  // A quote or a comment begins only behind a separator: `don't` and `a#b` are plain texts.
  let isAfterSeparator = true;
  for (let at = start; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '#' && /\s/.test(text.charAt(at - 1))) {
      const line = text.indexOf('\n', at);
      if (line < 0) return undefined;
      at = line;
    } else if (isAfterSeparator && (char === '"' || char === "'")) {
      const end = endOfMatch(char === '"' ? DOUBLE_QUOTED : SINGLE_QUOTED, text, at);
      if (end === undefined) return undefined;
      at = end - 1;
    } else if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') depth -= 1;
    if (depth === 0) return at + 1;
    isAfterSeparator = /[\s[{,:]/.test(char);
  }
  return undefined;
}

function endOfMatch(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
