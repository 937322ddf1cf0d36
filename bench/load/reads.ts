import type { BenchRun } from './bench-run.ts';
import type { Bound, Figure } from './figure.ts';
import { percentile } from './latencies.ts';
import { newestIds, type Question, questionsOf, type Sample, windowOf } from './questions.ts';
import { seededRandom } from './random.ts';

/** No further sample of a query starts after this time. */
const ENOUGH_MS = 4_000;
const WARM_UP = 2;
/** Most pages of the list to read. */
const MAX_PAGES = 20;

const TARGETS_P95: Readonly<Record<string, Bound>> = {
  trace: { atMost: 25 },
  'list-newest': { atMost: 60 },
  'list-service-fault': { atMost: 60 },
  'list-annotation-rare': { atMost: 100 },
  'list-annotation-common': { atMost: 100 },
  'list-metadata': { atMost: 100 },
  map: { atMost: 150 },
};

/** Median and 95th percentile of every query, with one caller. Checks the first responses of each. */
export async function* reads(run: BenchRun): AsyncGenerator<Figure> {
  for (const question of questionsOf(run.dataset)) {
    if (!run.isSelected(question.name)) continue;
    run.log(`querying: ${question.description}`);
    yield* askQuestion(run, question);
  }
}

async function* askQuestion(run: BenchRun, question: Question): AsyncGenerator<Figure> {
  const { name, description } = question;
  const samples: Sample[] = [];
  const latenciesMs: number[] = [];
  const beganMs = performance.now();
  for (let number = 0; number < WARM_UP + run.samples; number++) {
    const sample = question.sample(number);
    const askedMs = performance.now();
    const answer = await run.caller.call(sample.path, sample.input).catch((reason: Error) => reason);
    const tookMs = performance.now() - askedMs;
    if (answer instanceof Error) {
      yield { name: `${name}-p50`, description, unit: 'ms', value: tookMs, note: `no answer: ${answer.message}` };
      return;
    }
    if (number === 0 || number === WARM_UP) sample.check(answer);
    // A slow query needs no warm-up: its first response counts, too.
    if (number < WARM_UP && tookMs < ENOUGH_MS / 10) continue;
    samples.push(sample);
    latenciesMs.push(tookMs);
    if (performance.now() - beganMs > ENOUGH_MS) break;
  }
  const statements = samples.map((sample) => sample.statements);
  await run.bare.query(statements.slice(0, WARM_UP));
  const bareMs = await run.bare.query(statements);
  const figure = (suffix: string, share: number): Figure => ({
    name: `${name}-${suffix}`,
    description: `${description}, ${suffix}`,
    unit: 'ms',
    value: percentile(latenciesMs, share),
    bare: percentile(bareMs, share),
  });
  yield figure('p50', 0.5);
  const target = TARGETS_P95[name];
  yield { ...figure('p95', 0.95), ...(target && { target }) };
}

type Page = { readonly TraceSummaries: readonly { readonly Id: string }[]; readonly NextToken: string | null };

/** Reads up to MAX_PAGES pages of the newest traces and compares the ids and their order. */
export async function* readAllPages(run: BenchRun): AsyncGenerator<Figure> {
  run.log('reading the pages of the list');
  const found: string[] = [];
  const latenciesMs: number[] = [];
  let token: string | null = null;
  do {
    const askedMs = performance.now();
    const page: Page = await run.caller.call('/TraceSummaries', {
      ...windowOf(run.dataset),
      ...(token !== null && { NextToken: token }),
    });
    latenciesMs.push(performance.now() - askedMs);
    found.push(...page.TraceSummaries.map(({ Id }) => Id));
    token = page.NextToken;
  } while (token !== null && latenciesMs.length < MAX_PAGES);
  const { traceIds } = newestIds(run.dataset, () => true, token === null ? run.dataset.traceCount : found.length);
  const wrong = traceIds.findIndex((id, index) => found[index] !== id);
  if (wrong >= 0) throw new Error(`position ${wrong} of the list has ${found[wrong]}, not ${traceIds[wrong]}`);
  yield {
    name: 'list-found',
    description: 'traces found on all pages, in order',
    unit: 'traces',
    value: found.length,
    target: { atLeast: traceIds.length },
  };
  yield {
    name: 'list-page-p50',
    description: 'one page of the list, p50',
    unit: 'ms',
    value: percentile(latenciesMs, 0.5),
  };
}

/** Sends one small trace after the other, and queries each one right after its acknowledgement. */
export async function* readYourWrites(run: BenchRun): AsyncGenerator<Figure> {
  run.log('reading new traces');
  const random = seededRandom(run.dataset.seed, 0x7fff_ffff);
  const acknowledgedMs: number[] = [];
  const seenMs: number[] = [];
  const statements: string[][] = [];
  for (let count = 0; count < run.samples; count++) {
    // After the time range of the data set, so that its queries give the same results.
    const start = Math.ceil(run.dataset.toUs / 1e6) + 3_600 + count;
    const traceId = `1-${start.toString(16)}-${random.hex(24)}`;
    const segment = { name: 'probe', id: random.hex(16), trace_id: traceId, start_time: start, end_time: start + 0.1 };
    const beganMs = performance.now();
    await run.caller.call('/TraceSegments', { TraceSegmentDocuments: [JSON.stringify(segment)] });
    const putMs = performance.now();
    while (!(await isStored(run, traceId))) {
      if (performance.now() - putMs > 10_000) throw new Error(`${traceId} was acknowledged and was not found`);
    }
    acknowledgedMs.push(putMs - beganMs);
    seenMs.push(performance.now() - putMs);
    statements.push([`SELECT body FROM documents WHERE trace_id = unhex('${traceId.slice(2).replace('-', '')}')`]);
  }
  const bareMs = await run.bare.query(statements);
  yield {
    name: 'write-acknowledge-p50',
    description: 'acknowledge one document on an idle server, p50',
    unit: 'ms',
    value: percentile(acknowledgedMs, 0.5),
  };
  yield {
    name: 'write-read-p99',
    description: 'read your writes: acknowledged to answered, p99',
    unit: 'ms',
    value: percentile(seenMs, 0.99),
    bare: percentile(bareMs, 0.99),
    target: { atMost: 200 },
  };
}

async function isStored({ caller }: BenchRun, traceId: string): Promise<boolean> {
  const response = await caller.call<{ Traces: readonly object[] }>('/Traces', { TraceIds: [traceId] });
  return response.Traces.length > 0;
}
