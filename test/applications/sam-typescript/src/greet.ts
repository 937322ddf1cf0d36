export function greet(name: string): string {
  if (name === 'nobody') throw new RangeError('nobody to greet');
  return `hello ${name}`;
}
