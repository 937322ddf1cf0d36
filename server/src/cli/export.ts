import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import { TRACE_COUNT_HEADER } from '../api/export/export-traces.ts';
import { loadConfig } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { OTLP_PROTOCOLS, type OtlpEndpoint, otlpEndpoint } from '../forward/otlp-endpoint.ts';
import { readEndpointUrl } from './endpoint-url.ts';
import { type ExportSink, fileSink, lastCursorOf, otlpSink } from './export-sinks.ts';
import { newLog } from './log.ts';
import { protocolOf, readOtlpVariables } from './otlp-variables.ts';
import { thisProcess } from './process.ts';
import { newProgress } from './progress.ts';
import { ENDPOINT_URL, targetServerAt } from './target-server.ts';
import { readTime } from './time-flag.ts';

type ExportFlags = Readonly<Record<string, unknown>> & {
  /** True without a URL. */
  readonly otlp?: string | true;
  readonly protocol?: string;
  readonly file?: string;
  readonly start?: string;
  readonly end?: string;
  readonly filter?: string;
  readonly header: readonly string[];
  readonly after?: string;
  readonly resume?: boolean;
  readonly endpointUrl?: string;
  readonly config?: string;
};

/**
 * `openray export`: sends traces as OTLP, newest first, to another backend or into a file of OTLP/JSON lines. A stopped
 * run can be continued. It may repeat some spans; a backend that identifies spans by their ids stores them once.
 */
export function exportCommand(done: (exitCode: number) => void): Command {
  return new Command('export')
    .option('--otlp [url]', 'URL of the OpenTelemetry backend (default: OTEL_EXPORTER_OTLP_ENDPOINT)')
    .option(
      '--protocol <protocol>',
      `${OTLP_PROTOCOLS.join(', ')} (default: grpc for port 4317, http/protobuf for other ports)`,
    )
    .option('--file <file>', 'file to write, one trace a line; - for stdout')
    .option(
      '--start <time>',
      'only traces that started at this time or later: 10m, 2h, 1d, 2026-05-24T14:13:20Z or epoch seconds',
    )
    .option('--end <time>', 'only traces that started before this time (default: now)')
    .option('--filter <expression>', 'only traces that match the filter expression')
    .option('--header <name=value>', 'header for the backend; can be repeated', collect, [])
    .option('--after <token>', 'continue after this cursor, which a stopped run printed')
    .option('--resume', 'continue after the last line of the file')
    .option('--endpoint-url <url>', ENDPOINT_URL, readEndpointUrl)
    .action(async (flags: ExportFlags) => done(await runExport(flags)));
}

const collect = (value: string, values: readonly string[]) => [...values, value];

async function runExport(flags: ExportFlags): Promise<number> {
  if ((flags.otlp === undefined) === (flags.file === undefined)) {
    throw new OpenrayError('InvalidRequestException', 'name the destination: --otlp URL or --file FILE');
  }
  const endpoint = flags.otlp === undefined ? undefined : endpointOf(flags.otlp, flags);
  const after = flags.resume && flags.file !== undefined ? await lastCursorOf(flags.file) : flags.after;
  const { config } = loadConfig(flags, process.env, flags.config);
  const log = newLog(config.logLevel === 'info' ? 'error' : config.logLevel);
  const server = await targetServerAt(flags.endpointUrl, config, thisProcess(log));
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once('SIGINT', onInterrupt);
  let sink: ExportSink | undefined;
  try {
    const isContinued = flags.resume === true || flags.after !== undefined;
    sink =
      endpoint === undefined
        ? await fileSink(flags.file as string, isContinued)
        : await otlpSink(endpoint, stop.signal);
    return await copyTraces(`${server.url}/export/traces?${queryOf(flags, after)}`, sink, flags, stop.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
    sink?.close?.();
    await server.close();
  }
}

/** The flags win over the environment variables of OpenTelemetry's exporters. */
function endpointOf(flag: string | true, { protocol, header }: ExportFlags): OtlpEndpoint {
  const { url: urlFromEnvironment, isTracesUrl, ...variables } = readOtlpVariables(process.env);
  const url = flag === true ? urlFromEnvironment : flag;
  if (url === undefined) {
    throw new OpenrayError(
      'InvalidRequestException',
      'name the destination: --otlp URL, or set OTEL_EXPORTER_OTLP_ENDPOINT',
    );
  }
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new OpenrayError('InvalidRequestException', `--otlp ${url} is not an http or https URL`);
  }
  return otlpEndpoint(url, {
    ...variables,
    isTracesUrl: flag === true && isTracesUrl,
    protocol: protocolOf(protocol) ?? variables.protocol,
    headers: [...(variables.headers ?? []), ...header],
  });
}

function queryOf({ start, end, filter }: ExportFlags, after: string | undefined): URLSearchParams {
  const given = Object.entries({ start: timeOf(start), end: timeOf(end), filter, after });
  return new URLSearchParams(given.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Epoch seconds, the format of `/export/traces`. */
function timeOf(text: string | undefined): string | undefined {
  if (text === undefined || /^\d+(\.\d+)?$/.test(text)) return text;
  return readTime(text).toFixed(6);
}

async function copyTraces(url: string, sink: ExportSink, flags: ExportFlags, stop: AbortSignal): Promise<number> {
  const response = await openExport(url, stop);
  const total = flags.filter === undefined ? Number(response.headers.get(TRACE_COUNT_HEADER)) : undefined;
  const progress = newProgress(process.stderr);
  let traces = 0;
  try {
    for await (const line of createInterface({ input: Readable.fromWeb(response.body as never) })) {
      await sink.write(line);
      traces += 1;
      progress.show(total && traces / total, `${traces} traces`);
    }
    await sink.end();
  } catch (thrown) {
    progress.end();
    await sink.end().catch(() => undefined);
    throw withResumeHint(stop.aborted ? new OpenrayError('RequestCancelled', 'stopped') : thrown, sink, flags);
  }
  progress.end();
  const { rejected, reason } = sink.totals();
  process.stderr.write(`${traces} traces exported${rejected > 0 ? `, ${rejected} spans rejected: ${reason}` : ''}\n`);
  return rejected > 0 ? 1 : 0;
}

async function openExport(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    throw new OpenrayError('ServiceUnavailable', `there is no server at ${new URL(url).origin}`, { cause });
  });
  if (response.ok) return response;
  const { Message } = (await response.json().catch(() => ({}))) as { Message?: string };
  const code = response.status < 500 ? 'InvalidRequestException' : 'ServiceUnavailable';
  throw new OpenrayError(code, Message ?? `${response.status} from ${new URL(url).origin}`);
}

/** Adds the flag that continues the export to the message. */
function withResumeHint(thrown: unknown, sink: ExportSink, { file }: ExportFlags): OpenrayError {
  const { cursor } = sink.totals();
  const hint =
    cursor === undefined ? '' : file === undefined ? `; continue with --after ${cursor}` : '; continue with --resume';
  const failure =
    thrown instanceof OpenrayError
      ? thrown
      : new OpenrayError('ServiceUnavailable', 'the server closed the connection before the end', { cause: thrown });
  return new OpenrayError(failure.code, `${failure.message}${hint}`, { cause: failure.cause });
}
