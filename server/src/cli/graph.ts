import { Command, Option } from 'commander';
import type { GetServiceGraphResponse } from '../api/types.ts';
import { callServer } from '../client/call-server.ts';
import { addServerFlags, type ServerFlags, serverUrl } from './server-flags.ts';
import { END_TIME, readTime, START_TIME } from './time-flag.ts';

type GraphFlags = ServerFlags & { readonly startTime: string; readonly endTime: string };

/** `openray graph`: the service graph in the format of `sam traces`. */
export function graphCommand(done: (exitCode: number) => void): Command {
  const command = new Command('graph')
    .option('-s, --start-time <time>', START_TIME, '10m')
    .option('-e, --end-time <time>', END_TIME, 'now')
    .addOption(new Option('-o, --output <form>', 'output format').choices(['text', 'json']).default('text'));
  return addServerFlags(command).action(async (flags: GraphFlags) => {
    const window = { StartTime: readTime(flags.startTime), EndTime: readTime(flags.endTime) };
    const graph = await callServer<GetServiceGraphResponse>(serverUrl(flags), '/ServiceGraph', window);
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify(graph, null, 2)}\n` : graphText(graph, window));
    done(0);
  });
}

function graphText(
  { Services: services }: GetServiceGraphResponse,
  { StartTime: from, EndTime: to }: { StartTime: number; EndTime: number },
) {
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19);
  const nodes = services.flatMap((service) => {
    const edges = service.Edges.map(({ ReferenceId }) => ReferenceId).join(', ');
    const head = `Reference Id: ${service.ReferenceId} - ${service.Root ? '(Root) ' : ''}${service.Type ?? 'service'} - ${service.Name} - Edges: [${edges}]`;
    const { SummaryStatistics: statistics } = service;
    if (!statistics) return [`  ${head}`];
    return [
      `  ${head}`,
      '   Summary_statistics:',
      `     - total requests: ${statistics.TotalCount}`,
      `     - ok count(2XX): ${statistics.OkCount}`,
      `     - error count(4XX): ${statistics.ErrorStatistics.TotalCount}`,
      `     - fault count(5XX): ${statistics.FaultStatistics.TotalCount}`,
      `     - total response time: ${statistics.TotalResponseTime}`,
    ];
  });
  return ['New XRay Service Graph', `  Start time: ${iso(from)}`, `  End time: ${iso(to)}`, ...nodes, ''].join('\n');
}
