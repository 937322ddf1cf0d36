/** Whether two ranges of `count` bytes are equal. Compares from the end: ids are random there, texts have their values. */
export function areEqual(a: Uint8Array, atA: number, b: Uint8Array, atB: number, count: number): boolean {
  for (let index = count - 1; index >= 0; index--) if (a[atA + index] !== b[atB + index]) return false;
  return true;
}
