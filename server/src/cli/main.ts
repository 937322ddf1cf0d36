import { Command, CommanderError, Option } from 'commander';
import { type SettingName, settings } from '../config.ts';
import { FAILURES, toFailure } from '../errors.ts';
import { assertCommand } from './assert.ts';
import { backupCommand, restoreCommand } from './backup.ts';
import { configCommand } from './config.ts';
import { exportCommand } from './export.ts';
import { generateEventCommand } from './generate-event.ts';
import { graphCommand } from './graph.ts';
import { importCommand } from './import.ts';
import { invokeCommand } from './invoke.ts';
import { logsCommand } from './logs.ts';
import { version } from './process.ts';
import { repairCommand } from './repair.ts';
import { runtimeCommand } from './runtime.ts';
import { serveCommand } from './serve.ts';
import { startApiCommand, startLambdaCommand } from './start-functions.ts';
import { tailCommand } from './tail.ts';
import { tracesCommand } from './traces.ts';
import { validateCommand } from './validate.ts';

/** Runs one command; resolves with the exit code of the process. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('openray')
    .description('AWS X-Ray that you can run yourself, with local Lambda tracing.')
    .version(version)
    .showHelpAfterError("(see 'openray --help')")
    .exitOverride()
    .configureHelp({ sortSubcommands: false });
  let exitCode = 0;
  const done = (code: number) => {
    exitCode = code;
  };
  program.addCommand(withSettings(serveCommand(done)));
  program.addCommand(withSettings(invokeCommand(done)));
  program.addCommand(withSettings(startLambdaCommand(done)));
  program.addCommand(withSettings(startApiCommand(done)));
  program.addCommand(withSettings(validateCommand(), ['region', 'accountId']));
  program.addCommand(generateEventCommand(done));
  for (const command of [tracesCommand(done), graphCommand(done), logsCommand(done), tailCommand(done)]) {
    program.addCommand(withSettings(command, ['host', 'port']));
  }
  program.addCommand(withSettings(assertCommand(done)));
  program.addCommand(withSettings(exportCommand(done)));
  program.addCommand(withSettings(importCommand(done)));
  program.addCommand(withSettings(backupCommand(done)));
  program.addCommand(withSettings(restoreCommand(done)));
  program.addCommand(withSettings(repairCommand(done)));
  program.addCommand(withSettings(configCommand()));
  program.addCommand(runtimeCommand());
  for (const command of program.commands.flatMap(withSubcommands)) {
    command.exitOverride().showHelpAfterError("(see '--help')");
  }
  try {
    await program.parseAsync(withoutSamPrefix(argv), { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : FAILURES.UnknownOperationException.exit;
    const failure = toFailure(thrown);
    process.stderr.write(`openray: ${failure.message}\n`);
    if (failure.code === 'InternalFailure') process.stderr.write(`${String((failure.cause as Error)?.stack)}\n`);
    return FAILURES[failure.code].exit;
  }
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

/** Adds the flags of settings, unless the command has a flag of its own for them; of all settings by default. */
function withSettings(command: Command, names?: readonly SettingName[]): Command {
  command.option('--config <file>', 'settings file (YAML or JSON)');
  for (const { name, flag, meaning } of settings) {
    if (names?.includes(name) === false || command.options.some((option) => option.attributeName() === name)) continue;
    command.addOption(new Option(`${flag} <value>`, meaning).helpGroup('Settings:'));
  }
  return command;
}
