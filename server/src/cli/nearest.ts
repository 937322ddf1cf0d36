/** The names, the one most like `text` first. Names with the same distance keep their order. */
export function byNearest(text: string, names: readonly string[]): readonly string[] {
  const distances = new Map(names.map((name) => [name, editDistance(text.toLowerCase(), name.toLowerCase())]));
  return names.toSorted((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0));
}

/** The name that `text` probably means: with one edit, or one for every third letter. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const [first] = byNearest(text, names);
  if (first === undefined || text.length > TEXT_MAX) return undefined;
  const distance = editDistance(text.toLowerCase(), first.toLowerCase());
  return distance <= Math.max(1, text.length / 3) ? first : undefined;
}

/** Longest text that is compared, since the cost grows with the product of both lengths. */
const TEXT_MAX = 100;

/** Levenshtein's: the number of letters to insert, remove or replace. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.slice(0, TEXT_MAX), b.slice(0, TEXT_MAX)];
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let i = 0; i < left.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < right.length; j++) {
      const replaced = (row[j] ?? 0) + (left[i] === right[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
