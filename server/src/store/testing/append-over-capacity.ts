/**
 * Appends documents without waiting for any, faster than they can be stored, until at least so many were sent and half
 * as many were refused; prints the memory that this took as JSON. Arguments: data directory, how many documents,
 * `queueMaxBytes`.
 */
import { aDocument } from './documents.ts';
import { openTestStore } from './open-test-store.ts';

const [dataDir = '', count = '0', queueMaxBytes = '0'] = process.argv.slice(2);
const store = await openTestStore(dataDir, { queueMaxBytes: Number(queueMaxBytes) });
// The engine has taken what it needs to run once it has stored something.
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
