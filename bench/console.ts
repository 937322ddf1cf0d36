/**
 * `npm run bench:console`: measures how fast the console opens a trace of 100,000 segments and subsegments, and how
 * smoothly it scrolls. `-- --runs N` opens the trace N times; `--profile FOLDER` also writes CPU profiles for
 * Chromium's developer tools.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { type OpenrayProcess, startOpenray } from '../scripts/openray.ts';
import { openBrowser } from '../test/support/browser.ts';
import { describeMachine } from './figures.ts';
import { traceOfSegments, traceOfSpans } from './load/large-trace.ts';
import { cpuSecondsOf } from './load/process-usage.ts';

const SIZE = 100_000;
const SCROLL_STEPS = 150;
const DOCUMENTS_A_CALL = 50;

type PageLoad = {
  readonly firstRowMs: number;
  readonly responseMs: number;
  readonly longestTaskMs: number;
  /** CPU time: unlike the other times, it does not depend on other work of the machine. */
  readonly serverCpuMs: number;
  readonly pageCpuMs: number;
};
type ScrollFrames = { readonly p50Ms: number; readonly p95Ms: number; readonly longestMs: number };

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' }, profile: { type: 'string' } } });
const runs = Number(values.runs);
const dataDir = await mkdtemp(join(tmpdir(), 'openray-bench-'));
const server = await startOpenray([
  ...['--port', '0', '--otlp-http-port', '0', '--otlp-grpc-port', 'none'],
  ...['--data-dir', dataDir, '--log-level', 'error'],
]);
const serverPid = server.process.pid as number;
const browser = await openBrowser();
try {
  process.stdout.write(`${describeMachine()}, Chromium ${browser.version()}\n`);
  for (const [name, put] of [
    ['X-Ray segments', putSegments],
    ['OpenTelemetry spans', putSpans],
  ] as const) {
    const id = await put(server);
    const bytes = await responseBytesOf(server, id);
    await open(browser, id, values.profile && join(values.profile, `open ${name}.cpuprofile`));
    const opened: PageLoad[] = [];
    for (let run = 0; run < runs; run++) opened.push(await open(browser, id));
    const scrolled = await scroll(browser, id, name);
    const median = (of: (one: PageLoad) => number) => opened.map(of).sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
    const rows: readonly (readonly [string, string])[] = [
      ['size of the response', `${(bytes / 1e6).toFixed(1)} MB`],
      ['navigation to end of response', `${median(({ responseMs }) => responseMs).toFixed(0)} ms`],
      ['navigation to first rows painted', `${median(({ firstRowMs }) => firstRowMs).toFixed(0)} ms`],
      ['CPU of the server, until 1 s later', `${median(({ serverCpuMs }) => serverCpuMs).toFixed(0)} ms`],
      ['CPU of the page, until 1 s later', `${median(({ pageCpuMs }) => pageCpuMs).toFixed(0)} ms`],
      ['longest task, until 1 s later', `${median(({ longestTaskMs }) => longestTaskMs).toFixed(0)} ms`],
      ['frame while scrolling, median', `${scrolled.p50Ms.toFixed(1)} ms`],
      ['frame while scrolling, p95', `${scrolled.p95Ms.toFixed(1)} ms`],
      ['frame while scrolling, longest', `${scrolled.longestMs.toFixed(1)} ms`],
    ];
    process.stdout.write(`\n${SIZE.toLocaleString('en-US')} ${name}\n`);
    for (const [label, figure] of rows) process.stdout.write(`  ${label.padEnd(36)} ${figure.padStart(10)}\n`);
  }
} finally {
  await browser.close();
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function putSegments({ url }: OpenrayProcess): Promise<string> {
  const { id, documents } = traceOfSegments(SIZE);
  for (let first = 0; first < documents.length; first += DOCUMENTS_A_CALL) {
    const TraceSegmentDocuments = documents.slice(first, first + DOCUMENTS_A_CALL);
    await post(`${url}/TraceSegments`, { TraceSegmentDocuments });
  }
  return id;
}

async function putSpans({ url }: OpenrayProcess): Promise<string> {
  const { id, requests } = traceOfSpans(SIZE);
  for (const request of requests) await post(`${url}/v1/traces`, request);
  return id;
}

async function post(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response;
}

async function responseBytesOf({ url }: OpenrayProcess, id: string): Promise<number> {
  return (await (await post(`${url}/Traces`, { TraceIds: [id] })).arrayBuffer()).byteLength;
}

/** Opens the trace in a new page with an empty cache. */
async function open(from: Browser, id: string, profileFile?: string): Promise<PageLoad> {
  const page = await newPage(from);
  const profiler = profileFile === undefined ? undefined : await startProfile(page);
  await page.addInitScript(`
    const longTasks = [];
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((task) => task.duration)))
      .observe({ type: 'longtask' });
    window.opened = new Promise((done) => {
      const look = () => {
        if (document.querySelector('[role=treegrid] [role=row]') === null) return requestAnimationFrame(look);
        // The next frame starts after the one that paints the rows.
        requestAnimationFrame(() => {
          const firstRowMs = performance.now();
          const responses = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/Traces'));
          setTimeout(() => done({
            firstRowMs,
            responseMs: responses[0].responseEnd,
            longestTaskMs: Math.max(0, ...longTasks),
          }), 1000);
        });
      };
      requestAnimationFrame(look);
    });`);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuBefore = cpuSecondsOf(serverPid);
  await page.goto(`${server.url}/traces/${id}`, { waitUntil: 'commit' });
  const seen = (await page.evaluate('window.opened')) as Omit<PageLoad, 'serverCpuMs' | 'pageCpuMs'>;
  const { metrics } = await session.send('Performance.getMetrics');
  const opened: PageLoad = {
    ...seen,
    serverCpuMs: (cpuSecondsOf(serverPid) - cpuBefore) * 1000,
    pageCpuMs: (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000,
  };
  if (profiler && profileFile !== undefined) await saveProfile(profiler, profileFile);
  await page.close();
  return opened;
}

/** Scrolls by 240 pixels a frame, every 30th time by 100,000. */
async function scroll(from: Browser, id: string, name: string): Promise<ScrollFrames> {
  const page = await newPage(from);
  await page.goto(`${server.url}/traces/${id}`);
  await page.getByRole('treegrid').getByRole('row').first().waitFor();
  await page.waitForTimeout(3000);
  const profiler = values.profile === undefined ? undefined : await startProfile(page);
  const frames = (await page.evaluate(`new Promise((done) => {
    const rows = document.querySelector('[role=treegrid]');
    const frames = [];
    let last = performance.now();
    const step = () => {
      const now = performance.now();
      frames.push(now - last);
      last = now;
      if (frames.length > ${SCROLL_STEPS}) return done(frames);
      rows.scrollTop += frames.length % 30 === 0 ? 100000 : 240;
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  })`)) as readonly number[];
  if (profiler && values.profile) await saveProfile(profiler, join(values.profile, `scroll ${name}.cpuprofile`));
  await page.close();
  const sorted = frames.slice(1).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50Ms: at(0.5), p95Ms: at(0.95), longestMs: at(1) };
}

function newPage(from: Browser): Promise<Page> {
  return from.newPage({ viewport: { width: 1280, height: 800 } });
}

async function startProfile(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.start');
  return session;
}

async function saveProfile(session: CDPSession, file: string): Promise<void> {
  const { profile } = await session.send('Profiler.stop');
  await writeFile(file, JSON.stringify(profile));
}
