import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { invokeRemote } from '../client/invoke.ts';
import { waitForTrace } from '../client/wait-for-trace.ts';
import { openConfiguredLambdaService } from '../compose/lambda.ts';
import type { ServerProcess } from '../compose/process.ts';
import type { Config } from '../config.ts';
import { OpenrayError, toFailure } from '../errors.ts';
import { renderInvocation } from '../lambda/api/sam-output.ts';
import { fingerprint } from '../lambda/build/source-files.ts';
import { scheduledPayload } from '../lambda/services/scheduled-payload.ts';
import { parseFunctionReference } from '../lambda/spec/function-reference.ts';
import type { InvocationType, InvokeResult, LambdaService } from '../lambda/spec/lambda-client.ts';
import { formatTraceId } from '../model/trace-id.ts';
import { readEndpointUrl } from './endpoint-url.ts';
import { readEvent } from './event.ts';
import {
  addFunctionFlags,
  debugOptions,
  type FunctionFlags,
  functionOutput,
  printMessage,
  readFunctionSettings,
  withSamConfig,
} from './function-flags.ts';
import { newLog } from './log.ts';
import { byNearest } from './nearest.ts';
import { thisProcess } from './process.ts';
import { findOrStartServer, type TargetServer } from './target-server.ts';
import { traceHint } from './trace-hint.ts';

type InvokeFlags = FunctionFlags & {
  /** False with `--no-event`. */
  readonly event?: string | false;
  readonly eventFile?: string;
  readonly output: 'text' | 'json';
  readonly parameter: readonly string[];
  readonly endpointUrl?: string;
  readonly failOnError?: boolean;
  readonly watch?: boolean;
  /** True without a name. */
  readonly schedule?: string | true;
};

/**
 * `openray invoke NAME`: runs a function once as Lambda does and prints the result in the format of `sam remote
 * invoke`, then the URL of the trace. `local invoke` and `remote invoke` are the same command.
 */
export function invokeCommand(done: (exitCode: number) => void): Command {
  const command = new Command('invoke')
    .argument('[name]', 'logical id or name; optional when the template has one function')
    .option('-e, --event <event>', 'event: JSON, a file, or - for stdin')
    .option('--event-file <file>', 'file of the event, or - for stdin')
    .option('--no-event', 'send the event {}')
    .option('--schedule [name]', 'send the event of a schedule of the function')
    .option(
      '--parameter <k=v>',
      'parameter of the Invoke API: InvocationType, Qualifier, ClientContext or LogType; can be repeated',
      collect,
      [],
    )
    .addOption(new Option('-o, --output <form>', 'output format').choices(['text', 'json']).default('text'))
    .option(
      '--endpoint-url <url>',
      'URL of a running server, whose function is invoked (default: the command runs the function)',
      readEndpointUrl,
    )
    .option('--watch', 'run the function again when the code, the template or the event file changes')
    .option('--fail-on-error', 'exit with 1 when the function fails');
  addFunctionFlags(command);
  return command.action(async (name: string | undefined, given: InvokeFlags) => {
    const section = given.endpointUrl === undefined ? 'local_invoke' : 'remote_invoke';
    const flags = withSamConfig(command, section, given);
    if (flags.endpointUrl !== undefined) warnOfLocalFlags(command, given);
    const result = await (flags.endpointUrl === undefined ? invokeLocally(name, flags) : invokeThroughApi(name, flags));
    done(flags.failOnError === true && result.functionError !== undefined ? 1 : 0);
  });
}

async function invokeLocally(name: string | undefined, flags: InvokeFlags): Promise<InvokeResult> {
  const { config, environmentVariables } = readFunctionSettings(flags, 'passthrough', process.env);
  const given = readEvent(flags);
  const { logType, ...request } = readParameters(flags.parameter);
  // A user who runs a function does not need the info lines of the server that this command starts.
  const log = newLog(config.logLevel === 'info' ? 'error' : config.logLevel);
  const own: ServerProcess = { ...thisProcess(log), environmentVariables };
  const onLine = functionOutput(flags);
  const onWarning = printMessage;
  const hints = new Set<string>();
  let server: TargetServer | undefined;
  let lambdaService: LambdaService | undefined;
  try {
    server = await findOrStartServer(config, own);
    const { daemonAddress } = server;
    const isLogShown = flags.output === 'text' && logType === 'Tail';
    const streamed = isLogShown || flags.logFile !== undefined ? { onLine } : {};
    lambdaService = openConfiguredLambdaService(config, {
      ...own,
      daemonAddress,
      onWarning,
      warnsOfSources: false,
      onHint: (sentence) => hints.add(sentence),
      ...streamed,
      debug: debugOptions(flags),
    });
    for (let again = false; ; again = true) {
      try {
        const called = functionNameOf(name, lambdaService);
        const payload = schedulePayload(lambdaService, called, flags, config) ?? (again ? readEvent(flags) : given);
        const result = await lambdaService.invoke(called, { payload, ...request });
        await lambdaService.whenIdle();
        printResult(result, flags.output, 'hidden');
        await printTraceUrl(result, server, config);
        const untraced = traceHint(result, lambdaService.find(called).spec, config);
        if (untraced !== undefined) process.stderr.write(`\n${untraced}\n`);
        for (const hint of hints) process.stderr.write(`\nHint: ${hint}\n`);
        hints.clear();
        if (flags.watch !== true) return result;
      } catch (thrown) {
        // With --watch the user may repair code that cannot be built or read.
        if (flags.watch !== true) throw thrown;
        onWarning(toFailure(thrown).message);
      }
      process.stdout.write('\n');
      await waitForChange(lambdaService, name, flags);
    }
  } finally {
    await lambdaService?.close();
    await server?.close();
  }
}

/** Event of `--schedule`. Throws InvalidRequestException when the function has no such schedule. */
function schedulePayload(
  lambdaService: LambdaService,
  called: string,
  { schedule: wanted }: InvokeFlags,
  { region, accountId }: Config,
): Buffer | undefined {
  if (wanted === undefined) return undefined;
  const { arn } = lambdaService.find(called);
  const mine = lambdaService
    .schedules()
    .flatMap((schedule) => schedule.targets.map((target) => ({ schedule, target })))
    .filter(({ target }) => target.arn === arn);
  const found = mine.find(({ schedule }) => wanted === true || schedule.name === wanted);
  if (found === undefined) {
    const names = mine.map(({ schedule }) => schedule.name).join(', ');
    const sentence = `${called} has ${names === '' ? 'no schedule' : `no schedule ${wanted}, but ${names}`}`;
    throw new OpenrayError('InvalidRequestException', sentence);
  }
  const call = { id: randomUUID(), atMs: Date.now(), region, accountId };
  return Buffer.from(JSON.stringify(scheduledPayload(found.schedule, found.target, call)));
}

const POLL_MS = 200;

/** Resolves when the function's code, the template or the event file has changed. Polls every POLL_MS. */
async function waitForChange(
  lambdaService: LambdaService,
  name: string | undefined,
  { event, eventFile }: InvokeFlags,
): Promise<void> {
  const readFingerprint = () =>
    `${lambdaService.fingerprint(functionNameOf(name, lambdaService))}\n${fingerprint([eventFile ?? (event || '')])}`;
  const before = readFingerprint();
  while (readFingerprint() === before) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** Flags that have an effect on a function of a running server. */
const REMOTE_FLAGS: readonly string[] = [
  ...['event', 'eventFile', 'parameter', 'output', 'endpointUrl', 'failOnError', 'schedule'],
  ...['configFile', 'configEnv', 'saveParams'],
];

/** Names the given flags that concern only functions of this process. */
function warnOfLocalFlags(command: Command, flags: InvokeFlags): void {
  const given = command.options.filter((option) => {
    const name = option.attributeName();
    const isGiven = command.getOptionValueSource(name) === 'cli' && option.negate === (flags[name] === false);
    return isGiven && !option.hidden && !REMOTE_FLAGS.includes(name);
  });
  if (given.length === 0) return;
  const names = given.map(({ long }) => long).join(', ');
  printMessage(`${names}: no effect with --endpoint-url, since the function runs in that server`);
}

async function invokeThroughApi(name: string | undefined, flags: InvokeFlags): Promise<InvokeResult> {
  if (name === undefined) throw new OpenrayError('InvalidRequestException', 'name the function to invoke');
  if (flags.schedule !== undefined) {
    throw new OpenrayError('InvalidRequestException', '--schedule reads the template: leave --endpoint-url out');
  }
  const { logType, ...call } = readParameters(flags.parameter);
  const result = await invokeRemote({
    endpointUrl: flags.endpointUrl as string,
    functionName: name,
    payload: readEvent(flags),
    ...call,
  });
  printResult(result, flags.output, logType === 'Tail' ? 'shown' : 'hidden');
  if (result.isSampled) {
    const url = new URL(`/traces/${formatTraceId(result.traceId)}`, flags.endpointUrl);
    process.stderr.write(`\nTrace: ${url.href}\n`);
  } else if (result.statusCode !== 204) {
    const remedy = 'Start it with --tracing active and --lambda-sampling all, which trace every invocation.';
    process.stderr.write(`\nNo trace: the server at ${flags.endpointUrl} left this invocation out. ${remedy}\n`);
  }
  return result;
}

/** `hidden` is for a log that was printed line by line, and for `LogType=None`. */
function printResult(result: InvokeResult, form: 'text' | 'json', log: 'shown' | 'hidden'): void {
  const { stdout, stderr } = renderInvocation(result, form);
  if (log === 'shown') process.stderr.write(stderr);
  process.stdout.write(stdout);
}

/** Wait for the segment, which travels over UDP: usually some milliseconds. */
const VISIBLE_TIMEOUT_MS = 2000;

async function printTraceUrl(result: InvokeResult, server: TargetServer, config: Config): Promise<void> {
  const { traceId, segmentId } = result;
  if (segmentId === undefined) return;
  const isStored = await waitForTrace(server.url, traceId, {
    untracedCaller: true,
    timeoutMs: VISIBLE_TIMEOUT_MS,
  }).then(
    () => true,
    () => false,
  );
  const url = server.isOwn ? `http://${config.host}:${config.port}` : server.url;
  const hint = server.isOwn ? " (start 'openray serve' to open it)" : '';
  const late = isStored ? '' : ' (not stored yet)';
  process.stderr.write(`\nTrace: ${url}/traces/${formatTraceId(traceId)}${hint}${late}\n`);
}

/**
 * The given name, else the only function of the template. Throws ResourceNotFoundException, which names the template's
 * functions, when there is none with the name.
 */
function functionNameOf(name: string | undefined, lambdaService: LambdaService): string {
  const ids = lambdaService.list().map(({ spec }) => spec.logicalId);
  const [only] = ids;
  if (only === undefined) throw new OpenrayError('InvalidRequestException', 'the template has no functions');
  if (name === undefined) {
    if (ids.length === 1) return only;
    throw new OpenrayError('InvalidRequestException', `name one of the template's functions: ${ids.join(', ')}`);
  }
  if (!hasFunction(lambdaService, parseFunctionReference(name).name)) {
    const sentence = `the template has no function ${name}; it has ${byNearest(name, ids).join(', ')}`;
    throw new OpenrayError('ResourceNotFoundException', sentence);
  }
  return name;
}

function hasFunction(lambdaService: LambdaService, name: string): boolean {
  try {
    lambdaService.find(name);
    return true;
  } catch {
    return false;
  }
}

const INVOCATION_TYPES: readonly InvocationType[] = ['RequestResponse', 'Event', 'DryRun'];

/** `None` leaves the log out of the output. */
const LOG_TYPES = ['Tail', 'None'] as const;

/** `--parameter k=v`: members of the Invoke API, as in SAM. */
function readParameters(parameters: readonly string[]) {
  const values = new Map(parameters.map((text) => text.split(/=(.*)/s, 2) as [string, string | undefined]));
  for (const [key, value] of values) {
    if (value === undefined || !['InvocationType', 'Qualifier', 'ClientContext', 'LogType'].includes(key)) {
      const known = 'InvocationType, Qualifier, ClientContext or LogType';
      throw new OpenrayError('InvalidRequestException', `--parameter ${key}: give ${known} as Key=Value`);
    }
  }
  const invocationType = INVOCATION_TYPES.find((type) => type === (values.get('InvocationType') ?? 'RequestResponse'));
  if (invocationType === undefined) {
    throw new OpenrayError('InvalidRequestException', `InvocationType is one of ${INVOCATION_TYPES.join(', ')}`);
  }
  const logType = LOG_TYPES.find((type) => type === (values.get('LogType') ?? 'Tail'));
  if (logType === undefined) {
    throw new OpenrayError('InvalidRequestException', `LogType is one of ${LOG_TYPES.join(', ')}`);
  }
  return { invocationType, logType, qualifier: values.get('Qualifier'), clientContext: values.get('ClientContext') };
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
