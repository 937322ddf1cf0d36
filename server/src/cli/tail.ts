import { Command, Option } from 'commander';
import type { GetTraceSummariesResponse } from '../api/types.ts';
import { callServer } from '../client/call-server.ts';
import { printLogs } from './logs.ts';
import { addServerFlags, followServer, type ServerFlags, serverUrl } from './server-flags.ts';
import { printTrace } from './traces.ts';

const LOOK_BACK_SECONDS = 60;

/** `openray tail`: follows logs and traces until SIGINT or SIGTERM. */
export function tailCommand(done: (exitCode: number) => void): Command {
  const command = new Command('tail')
    .option('-f, --filter <expression>', 'print only traces that match the filter expression')
    .addOption(new Option('-o, --output <form>', 'output format').choices(['text', 'json']).default('text'));
  return addServerFlags(command).action(async (flags: ServerFlags & { readonly filter?: string }) => {
    const url = serverUrl(flags);
    const startedSeconds = Date.now() / 1000;
    const printed = new Map<string, number>();
    let afterUs: number | undefined;
    await followServer(async () => {
      const request = { StartTime: startedSeconds, AfterUs: afterUs };
      afterUs = (await printLogs(url, request, flags.output)) ?? afterUs;
      const nowSeconds = Date.now() / 1000;
      const { TraceSummaries: traces } = await callServer<GetTraceSummariesResponse>(url, '/TraceSummaries', {
        StartTime: Math.max(startedSeconds, nowSeconds - LOOK_BACK_SECONDS),
        EndTime: nowSeconds + 60,
        TimeRangeType: 'Event',
        FilterExpression: flags.filter,
      });
      for (const { Id: id, IsPartial: isPartial } of traces.toReversed()) {
        if (!isPartial) await printTrace(url, id, flags.output, printed);
      }
    });
    done(0);
  });
}
