import { type EarlierRun, growthTable, markdownTable, type RunFacts } from './figures.ts';
import type { Figure } from './load/figure.ts';
import { spanCountOf } from './load/generate.ts';

/** `docs/performance.md`. */
export function performancePage(
  figures: readonly Figure[],
  { dataset, machine, commit, date }: RunFacts,
  earlier: EarlierRun | undefined,
): string {
  const traces = dataset.traceCount.toLocaleString('en-US');
  const spans = spanCountOf(dataset.traceCount).toLocaleString('en-US');
  const growth = earlier && `## Growth\n\n${growthTable(figures, spanCountOf(dataset.traceCount), earlier)}\n\n`;
  return `# Performance

Written by \`npm run bench -- --traces ${dataset.traceCount} --write-docs\` on ${date.slice(0, 10)}, at commit \`${commit}\`.

- **Machine:** ${machine}. Load generator, server and engine share it, each in its own process.
- **Data:** ${traces} traces, ${spans} spans, over 24 hours and ${dataset.serviceCount} services, eleven annotations and metadata a span,
  three in a hundred traces with a fault and its exception (\`bench/load/generate.ts\`, seed ${dataset.seed}).
- **openray:** the built server with its default settings, on an empty data directory, used through its sockets:
  PutTraceSegments with 50 documents a call from 32 clients, the daemon's datagrams, and the X-Ray API for every query.
  The benchmark checks a response of every kind. It makes all requests before it sends the first, and sends others
  beforehand until the programs are warm. OTLP has 500 spans a request from 8 clients, with the flags of today's SDKs.
- **Bare engine:** the same ClickHouse in its own process. It inserts the same rows, encoded as RowBinary beforehand, in
  large blocks. For each query it runs the SQL that one would write by hand, which returns rows and not traces.
- **Ratio:** openray over bare engine. Above 1 is better for rates; below 1 is better for times and sizes.

${markdownTable(figures)}

Ingest is acknowledged ingest: the time ends when the last document is in ClickHouse. "Per second of CPU" counts all
threads of the server's process, engine included.

${growth ?? ''}\`npm run bench\` loads a small data set and takes a minute or two. \`--json FILE\` adds a line for each figure, to compare
runs. \`npm run bench:console\` opens a trace of 100,000 segments and subsegments, and one of as many spans, in Chromium.
\`npm run bench:test-kit\` measures how soon 200 tests in 8 processes get the traces that they wait for, from the
acknowledgement of the last document on, beside one test alone; the target is a p99 of 200 ms.
\`npx vitest bench --project unit bench/micro\` times the pure functions.
`;
}
