import { Command, Option } from 'commander';
import type { GetTraceSummariesResponse } from '../api/types.ts';
import { callServer } from '../client/call-server.ts';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { waitForTrace } from '../client/wait-for-trace.ts';
import { printJson } from '../model/exact-json.ts';
import { traceTree } from '../model/trace-tree.ts';
import { addServerFlags, followServer, type ServerFlags, serverUrl } from './server-flags.ts';
import { END_TIME, readTime, START_TIME } from './time-flag.ts';

type TracesFlags = ServerFlags & {
  readonly traceId?: readonly string[];
  readonly filter?: string;
  readonly startTime: string;
  readonly endTime?: string;
  readonly tail?: boolean;
};

/** `openray traces`: traces in the format of `sam traces`, oldest first. */
export function tracesCommand(done: (exitCode: number) => void): Command {
  const command = new Command('traces')
    .option('--trace-id <id...>', 'print the traces with these ids')
    .option('-f, --filter <expression>', 'print only traces that match the filter expression')
    .option('-s, --start-time <time>', START_TIME, '10m')
    .option('-e, --end-time <time>', END_TIME)
    .option('-t, --tail', 'print new traces as they arrive')
    .addOption(new Option('-o, --output <form>', 'output format').choices(['text', 'json']).default('text'));
  return addServerFlags(command).action(async (flags: TracesFlags) => {
    const url = serverUrl(flags);
    const window = {
      from: readTime(flags.startTime),
      to: flags.endTime === undefined ? undefined : readTime(flags.endTime),
    };
    const printed = new Map<string, number>();
    const poll = async () => {
      const ids = flags.traceId ?? (await findTraceIds(url, window, flags.filter));
      for (const id of ids) await printTrace(url, id, flags.output, printed);
    };
    await (flags.tail === true ? followServer(poll) : poll());
    done(0);
  });
}

async function findTraceIds(
  url: string,
  { from, to }: { readonly from: number; readonly to: number | undefined },
  filter: string | undefined,
): Promise<readonly string[]> {
  const ids: string[] = [];
  const EndTime = to ?? Date.now() / 1000 + 60;
  let token: string | null = null;
  do {
    const page: GetTraceSummariesResponse = await callServer(url, '/TraceSummaries', {
      StartTime: from,
      EndTime,
      FilterExpression: filter,
      NextToken: token,
    });
    ids.push(...page.TraceSummaries.map(({ Id }) => Id));
    token = page.NextToken;
  } while (token !== null);
  return ids.reverse();
}

/** Prints a trace unless `printed` has its current revision. */
export async function printTrace(
  url: string,
  id: string,
  output: 'text' | 'json',
  printed: Map<string, number>,
): Promise<void> {
  const recorded = await waitForTrace(url, id, { complete: false, timeoutMs: 0 });
  const { revision } = recorded.trace;
  if (printed.get(id) === revision) return;
  printed.set(id, revision);
  process.stdout.write(output === 'json' ? `${printJson(traceJson(recorded))}\n` : traceText(recorded));
}

function traceText({ id, trace, summary, durationMs }: RecordedTrace): string {
  const at = new Date(summary.startUs / 1000).toISOString().slice(0, -1);
  const seconds = durationMs === undefined ? '…' : `${(durationMs / 1000).toFixed(3)}s`;
  const micros = `${at}${String(summary.startUs % 1000).padStart(3, '0')}`;
  return `\nXRay Event [revision ${trace.revision}] at (${micros}) with id (${id}) and duration (${seconds})\n${traceTree(trace)}\n`;
}

function traceJson({ id, durationMs, trace, entities }: RecordedTrace): object {
  return {
    id,
    duration: durationMs === undefined ? null : durationMs / 1000,
    revision: trace.revision,
    segments: entities.map(({ fields }) => fields),
  };
}
