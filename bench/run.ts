/** `npm run bench`: prints all figures beside those of the bare engine. Options: see USAGE. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine, jsonLine, type RunFacts, readEarlierRun, textTable } from './figures.ts';
import type { Figure } from './load/figure.ts';
import type { DatasetOptions } from './load/generate.ts';
import { measure } from './measure.ts';
import { performancePage } from './performance-page.ts';

const USAGE = `npm run bench [-- OPTIONS]
  --traces N     number of traces to load, ten spans each (20000)
  --services N   number of services (200)
  --seed N       seed of the random data (1)
  --only NAME    only figures whose names start with NAME: ingest, trace, list, map, write, start, disk
  --json FILE    also append one line of JSON for each figure
  --beside FILE  lines of an earlier run with fewer traces, for the growth of each figure
  --write-docs   also write docs/performance.md
Files are written below TMPDIR, at most about 600 bytes a span, and removed at the end.
`;

const PAGE = new URL('../docs/performance.md', import.meta.url);
const DAY_US = 86_400_000_000;

const { values } = parseArgs({
  options: {
    traces: { type: 'string', default: '20000' },
    services: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'string' },
    beside: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  const toUs = Math.floor(Date.now() / 1000) * 1_000_000;
  const dataset: DatasetOptions = {
    seed: wholeNumber('seed', 0),
    traceCount: wholeNumber('traces', 10),
    serviceCount: wholeNumber('services', 3),
    fromUs: toUs - DAY_US,
    toUs,
  };
  const facts: RunFacts = { dataset, machine: describeMachine(), commit: commit(), date: new Date().toISOString() };
  const beganMs = performance.now();
  const seconds = () => ((performance.now() - beganMs) / 1000).toFixed(1).padStart(6);
  const log = (text: string) => process.stderr.write(`${seconds()} s  ${text}\n`);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const earlier = values.beside === undefined ? undefined : readEarlierRun(readFileSync(values.beside, 'utf8'));
  const figures: Figure[] = [];
  try {
    for await (const figure of measure({ dataset, only: values.only, signal: stop.signal, log })) {
      figures.push(figure);
      if (values.json !== undefined) appendFileSync(values.json, `${jsonLine(figure, facts)}\n`);
    }
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
    log('stopped');
    process.exit(130);
  }
  process.stdout.write(`${textTable(figures)}\n`);
  if (values['write-docs']) writeFileSync(PAGE, performancePage(figures, facts, earlier));
}

function wholeNumber(name: 'seed' | 'traces' | 'services', least: number): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= least) return number;
  process.stderr.write(`--${name} takes a whole number from ${least} on, not ${values[name]}\n`);
  process.exit(2);
}

function commit(): string {
  try {
    const args = ['describe', '--always', '--dirty', '--exclude', '*'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
