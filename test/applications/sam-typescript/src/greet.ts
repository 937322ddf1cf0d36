export function greet(name: string): string {
  if (name === '') throw new RangeError('no name to greet');
  return `hello ${name}`;
}
