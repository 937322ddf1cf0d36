/**
 * Appends documents faster than they can be stored, without waiting. Stops once the given number was sent and at least
 * half of that number was refused. Prints the used memory as JSON. Arguments: data directory, number of documents,
 * `queueMaxBytes`.
 */
import { aDocument } from './documents.ts';
import { openTestStore } from './open-test-store.ts';

const [dataDir = '', count = '0', queueMaxBytes = '0'] = process.argv.slice(2);
const store = await openTestStore(dataDir, { queueMaxBytes: Number(queueMaxBytes) });
// The engine has allocated its own memory once it has stored a document.
await store.append([aDocument(0)]);
const idleBytes = process.memoryUsage.rss();
const PER_CALL = 50;
let mostQueuedBytes = 0;
const calls: Promise<void>[] = [];
const isEnough = (sent: number) => sent >= Number(count) && store.statistics().refused >= Number(count) / 2;
for (let first = 1; !isEnough(first); first += PER_CALL) {
  const documents = Array.from({ length: PER_CALL }, (_, index) => aDocument(first + index));
  calls.push(store.append(documents).catch(() => {}));
  mostQueuedBytes = Math.max(mostQueuedBytes, store.statistics().queuedBytes);
  if (calls.length % 20 === 0) await new Promise(setImmediate);
}
await Promise.all(calls);
const mostBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ idleBytes, mostBytes, mostQueuedBytes, ...store.statistics() }));
await store.close();
