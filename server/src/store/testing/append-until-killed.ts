/**
 * Appends numbered documents as fast as possible, and prints each number once its document is acknowledged.
 * Arguments: data directory, first number. Runs until it is killed.
 */
import { aDocument } from './documents.ts';
import { openTestStore } from './open-test-store.ts';

const [dataDir = '', first = '0'] = process.argv.slice(2);
let next = Number(first);
const store = await openTestStore(dataDir);

async function appendForEver(): Promise<never> {
  while (true) {
    const numbers = [next++, next++, next++];
    await store.append(numbers.map((number) => aDocument(number)));
    process.stdout.write(`${numbers.join('\n')}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, appendForEver));
