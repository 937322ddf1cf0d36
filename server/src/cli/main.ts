import { Command, CommanderError } from 'commander';
import { FAILURES, toFailure } from '../errors.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';
import { version } from './process.ts';

/** Runs one command; resolves with the exit code of the process. */
export async function main(argv: readonly string[]): Promise<number> {
  const args = withoutSamPrefix(argv);
  let exitCode = 0;
  const done = (code: number) => {
    exitCode = code;
  };
  try {
    const program = await programFor(args, done);
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : FAILURES.UnknownOperationException.exit;
    const failure = toFailure(thrown);
    process.stderr.write(`openray: ${failure.message}\n`);
    if (failure.code === 'InternalFailure') process.stderr.write(`${String((failure.cause as Error)?.stack)}\n`);
    return FAILURES[failure.code].exit;
  }
}

/** The program with the command that `args` name; the other commands are only listed, since loading all takes long. */
async function programFor(args: readonly string[], done: (exitCode: number) => void): Promise<Command> {
  const usages = new Map(COMMANDS.map(({ name, usage }) => [name, `${name} ${usage}`]));
  const program = new Command('openray')
    .description('AWS X-Ray that you can run yourself, with local Lambda tracing.')
    .version(version)
    .showHelpAfterError("(see 'openray --help')")
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => usages.get(command.name()) ?? HELP_USAGE });
  const named = args.find((arg) => !arg.startsWith('-') && arg !== 'help');
  for (const entry of COMMANDS) {
    program.addCommand(
      entry.name === named ? await loadCommand(entry, done) : new Command(entry.name).description(entry.description),
    );
  }
  return program;
}

/** The program's own command, which commander adds. */
const HELP_USAGE = 'help [command]';

/** The command as it runs. */
export async function loadCommand(entry: CommandEntry, done: (exitCode: number) => void): Promise<Command> {
  const command = (await entry.load())(done).description(entry.description);
  if (entry.settings?.length !== 0) (await import('./setting-flags.ts')).addSettingFlags(command, entry.settings);
  for (const each of withSubcommands(command)) each.exitOverride().showHelpAfterError("(see '--help')");
  return command;
}

const SAM_PREFIXED_COMMANDS = ['invoke', 'start-lambda', 'start-api', 'generate-event'];

/** Drops SAM's `local` or `remote` before a command: `local invoke` and `remote invoke` are both `invoke` here. */
function withoutSamPrefix(argv: readonly string[]): string[] {
  const [prefix, command = ''] = argv;
  return (prefix === 'local' || prefix === 'remote') && SAM_PREFIXED_COMMANDS.includes(command)
    ? argv.slice(1)
    : [...argv];
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
