import { Command, Option } from 'commander';
import type { GetFunctionLogsResponse, WireLogEvent } from '../api/types.ts';
import { callServer } from '../client/call-server.ts';
import { toFailure } from '../errors.ts';
import { addIgnoredFlags } from './function-flags.ts';
import { addServerFlags, followServer, type ServerFlags, serverUrl } from './server-flags.ts';
import { END_TIME, readTime, START_TIME } from './time-flag.ts';
import { printTrace } from './traces.ts';

type LogsFlags = ServerFlags & {
  readonly name?: string;
  readonly startTime: string;
  readonly endTime?: string;
  readonly filter?: string;
  readonly traceId?: string;
  readonly requestId?: string;
  readonly tail?: boolean;
  readonly includeTraces?: boolean;
};

/** Of `--include-traces`, to bound memory. */
const TRACES_MAX = 1000;

/** `openray logs [NAME]`: logs of functions in the format of `sam logs`. */
export function logsCommand(done: (exitCode: number) => void): Command {
  const command = new Command('logs')
    .argument('[name]', 'name of a function (default: all)')
    .option('-n, --name <name>', 'name of a function')
    .option('-s, --start-time <time>', START_TIME, '10m')
    .option('-e, --end-time <time>', END_TIME)
    .option('--filter <text>', 'only lines with this text')
    .option('--trace-id <id>', 'only lines of this trace')
    .option('--request-id <id>', 'only lines of this invocation')
    .option('-t, --tail', 'print new log events as they arrive')
    .option('--include-traces', `print the traces of these lines too, at most ${TRACES_MAX}`)
    .addOption(new Option('-o, --output <form>', 'output format').choices(['text', 'json']).default('text'));
  // There are no stacks here: without a name, the logs of all functions of the server are shown.
  addIgnoredFlags(command, ['--stack-name <name>']);
  return addServerFlags(command).action(async (argument: string | undefined, flags: LogsFlags) => {
    const request = {
      FunctionName: argument ?? flags.name,
      Contains: flags.filter,
      TraceId: flags.traceId,
      RequestId: flags.requestId,
      StartTime: readTime(flags.startTime),
      EndTime: flags.endTime === undefined ? undefined : readTime(flags.endTime),
    };
    const url = serverUrl(flags);
    let afterUs: number | undefined;
    const traceIds = new Set<string>();
    const printed = new Map<string, number>();
    const poll = async () => {
      const seen = await printLogs(url, { ...request, AfterUs: afterUs }, flags.output, ({ TraceId: id }) => {
        if (id !== null && traceIds.size < TRACES_MAX) traceIds.add(id);
      });
      afterUs = seen ?? afterUs;
      if (flags.includeTraces === true) await printTraces(url, traceIds, flags.output, printed);
    };
    await (flags.tail === true ? followServer(poll) : poll());
    done(0);
  });
}

/** Prints each trace that is stored: a function may write lines of an invocation that is not traced. */
async function printTraces(
  url: string,
  ids: ReadonlySet<string>,
  output: 'text' | 'json',
  printed: Map<string, number>,
): Promise<void> {
  for (const id of ids) {
    await printTrace(url, id, output, printed).catch((error: unknown) => {
      if (toFailure(error).code !== 'ResourceNotFoundException') throw error;
    });
  }
}

/** Prints all pages of log events, and passes each event to `onEvent`; returns the time of the last event, undefined for none. */
export async function printLogs(
  url: string,
  request: { readonly AfterUs: number | undefined },
  output: 'text' | 'json',
  onEvent: (event: WireLogEvent) => void = () => {},
): Promise<number | undefined> {
  let afterUs = request.AfterUs;
  for (;;) {
    const page = await callServer<GetFunctionLogsResponse>(url, '/GetFunctionLogs', { ...request, AfterUs: afterUs });
    for (const event of page.Events) {
      onEvent(event);
      process.stdout.write(output === 'json' ? `${JSON.stringify(event)}\n` : logLines(event));
    }
    afterUs = page.Events.at(-1)?.AtUs ?? afterUs;
    if (page.IsComplete) return afterUs;
  }
}

/** `<stream> <time> <text>`; a line in embedded metric format as `METRIC …` lines. */
function logLines({ LogStream: stream, AtUs: atUs, Text: text, Metrics: metrics }: WireLogEvent): string {
  const time = `${new Date(atUs / 1000).toISOString().slice(0, -1)}${String(atUs % 1000).padStart(3, '0')}`;
  const shown =
    metrics.length === 0
      ? text
      : metrics
          .map(({ Namespace: namespace, Name: name, Unit: unit, Values: values, Dimensions: dimensions }) => {
            const where = Object.entries(dimensions).map(([key, value]) => `${key}=${value}`);
            return `METRIC ${namespace} ${name} ${values.join(',')} ${unit} ${where.join(' ')}`.trimEnd();
          })
          .join('\n');
  return `${stream} ${time} ${shown}\n`;
}
