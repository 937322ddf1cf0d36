import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { otlpEndpoint } from '../forward/otlp-endpoint.ts';
import { openOtlpHttpSender } from '../forward/otlp-http-sender.ts';
import { readRetryAfter, type SendResult, sendWithRetries } from '../forward/send-with-retries.ts';
import { printJson } from '../model/exact-json.ts';
import type { JsonValue } from '../model/json.ts';
import { readEndpointUrl } from './endpoint-url.ts';
import { readImportLine } from './import-lines.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';
import { newProgress } from './progress.ts';
import { ENDPOINT_URL, targetServerAt } from './target-server.ts';

type ImportFlags = Readonly<Record<string, unknown>> & { readonly endpointUrl?: string; readonly config?: string };

/**
 * `openray import FILE…`: stores lines of `openray export`, other OTLP/JSON lines, or X-Ray documents. A second import
 * of the same file changes nothing.
 */
export function importCommand(done: (exitCode: number) => void): Command {
  return new Command('import')
    .argument('<files...>', 'files to read; - for stdin')
    .option('--endpoint-url <url>', ENDPOINT_URL, readEndpointUrl)
    .action(async (files: readonly string[], flags: ImportFlags) => done(await runImport(files, flags)));
}

async function runImport(files: readonly string[], flags: ImportFlags): Promise<number> {
  for (const file of files) {
    if (file !== '-' && !existsSync(file))
      throw new OpenrayError('InvalidRequestException', `there is no file ${file}`);
  }
  const { config } = loadConfig(flags, process.env, flags.config);
  const log = newLog(config.logLevel === 'info' ? 'error' : config.logLevel);
  const server = await targetServerAt(flags.endpointUrl, config, thisProcess(log));
  const progress = newProgress(process.stderr);
  const importer = newImporter(server.url);
  let lines = 0;
  try {
    for (const file of files) {
      let number = 0;
      for await (const line of createInterface({ input: file === '-' ? process.stdin : createReadStream(file) })) {
        number += 1;
        if (line.trim() === '') continue;
        await importer.add(readLine(line, file, number));
        lines += 1;
        progress.show(undefined, `${lines} lines`);
      }
    }
    await importer.flush();
  } finally {
    progress.end();
    await server.close();
  }
  const { rejected, reason } = importer.totals();
  process.stderr.write(`${lines} lines imported${rejected > 0 ? `, ${rejected} documents rejected: ${reason}` : ''}\n`);
  return rejected > 0 ? 1 : 0;
}

function readLine(line: string, file: string, number: number): ReturnType<typeof readImportLine> {
  try {
    return readImportLine(line);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new OpenrayError('SerializationException', `${file}, line ${number}: ${reason}`, { cause: thrown });
  }
}

const OTLP_BATCH = 100;
const XRAY_BATCH = 50;
const GIVE_UP_MS = 120_000;

/** Collects lines into requests of OTLP_BATCH resources or XRAY_BATCH documents and sends them to the server. */
function newImporter(url: string) {
  const sender = openOtlpHttpSender(otlpEndpoint(url, { protocol: 'http/json' }));
  const neverAborted = new AbortController().signal;
  let resourceSpans: JsonValue[] = [];
  let resourceLogs: JsonValue[] = [];
  let documents: string[] = [];
  let rejected = 0;
  let reason: string | undefined;

  async function send(request: () => Promise<SendResult>): Promise<void> {
    const delivery = await sendWithRetries(request, { maxElapsedMs: GIVE_UP_MS });
    if (delivery.kind !== 'accepted') {
      throw new OpenrayError('ServiceUnavailable', `the server did not accept the traces: ${delivery.reason}`);
    }
    rejected += delivery.rejected;
    reason ??= delivery.reason;
  }

  async function flush(): Promise<void> {
    const [traces, logs, texts] = [resourceSpans, resourceLogs, documents];
    resourceSpans = [];
    resourceLogs = [];
    documents = [];
    if (traces.length > 0)
      await send(() => sender.send('traces', Buffer.from(printJson({ resourceSpans: traces })), neverAborted));
    if (logs.length > 0)
      await send(() => sender.send('logs', Buffer.from(printJson({ resourceLogs: logs })), neverAborted));
    for (let at = 0; at < texts.length; at += XRAY_BATCH) {
      await send(() => postSegments(url, texts.slice(at, at + XRAY_BATCH)));
    }
  }

  return {
    async add(line: ReturnType<typeof readImportLine>): Promise<void> {
      if (line.kind === 'otlp') {
        resourceSpans.push(...line.resourceSpans);
        resourceLogs.push(...line.resourceLogs);
      } else {
        documents.push(...line.documents);
      }
      if (resourceSpans.length + resourceLogs.length >= OTLP_BATCH || documents.length >= XRAY_BATCH) await flush();
    },
    flush,
    totals: () => ({ rejected, reason }),
  };
}

type UnprocessedSegment = { readonly Id?: string; readonly ErrorCode?: string };

/** PutTraceSegments without a signature: openray requires none. */
async function postSegments(url: string, documents: readonly string[]): Promise<SendResult> {
  try {
    const body = JSON.stringify({ TraceSegmentDocuments: documents });
    const response = await fetch(`${url}/TraceSegments`, { method: 'POST', body });
    const text = await response.text();
    const isBusy = response.status === 429 || response.status === 503;
    if (isBusy)
      return { kind: 'retry', reason: text, retryAfterMs: readRetryAfter(response.headers.get('retry-after')) };
    if (!response.ok) return { kind: 'rejected', reason: `${response.status} ${text.slice(0, 300)}` };
    const { UnprocessedTraceSegments: rejected = [] } = JSON.parse(text) as {
      UnprocessedTraceSegments?: UnprocessedSegment[];
    };
    const [one] = rejected;
    return {
      kind: 'accepted',
      rejected: rejected.length,
      reason: one && `${one.Id ?? 'a document'}: ${one.ErrorCode}`,
    };
  } catch (thrown) {
    return { kind: 'retry', reason: String((thrown as Error).message) };
  }
}
