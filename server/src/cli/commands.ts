import type { Command } from 'commander';
import type { SettingName } from '../config.ts';

/** A command as `openray --help` lists it. Its file is loaded only when the command runs or its own help is wanted. */
export type CommandEntry = {
  readonly name: string;
  /** Options and arguments, as the list shows them. */
  readonly usage: string;
  readonly description: string;
  /** Settings that have a flag: all by default. */
  readonly settings?: readonly SettingName[];
  /** Resolves with the function that makes the command; `done` gets the exit code of the process. */
  readonly load: () => Promise<(done: (exitCode: number) => void) => Command>;
};

const OF_SERVER: readonly SettingName[] = ['host', 'port'];

/** In the order of the list. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'serve',
    usage: '[options]',
    description: 'start the server: daemon, X-Ray API, console, and the functions of the template',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  {
    name: 'invoke',
    usage: '[options] [name]',
    description: 'run a function of the template once',
    load: async () => (await import('./invoke.ts')).invokeCommand,
  },
  {
    name: 'start-lambda',
    usage: '[options]',
    description: "serve the Invoke API for the template's functions",
    load: async () => (await import('./start-functions.ts')).startLambdaCommand,
  },
  {
    name: 'start-api',
    usage: '[options]',
    description: "serve the template's APIs and function URLs",
    load: async () => (await import('./start-functions.ts')).startApiCommand,
  },
  {
    name: 'validate',
    usage: '[options]',
    description: 'list the parts of a template that openray runs, and those that it does not run',
    settings: ['region', 'accountId'],
    load: async () => (await import('./validate.ts')).validateCommand,
  },
  {
    name: 'generate-event',
    usage: '[name]',
    description: 'print a sample of an event that an AWS service sends to a function',
    settings: [],
    load: async () => (await import('./generate-event.ts')).generateEventCommand,
  },
  {
    name: 'traces',
    usage: '[options]',
    description: 'print traces',
    settings: OF_SERVER,
    load: async () => (await import('./traces.ts')).tracesCommand,
  },
  {
    name: 'graph',
    usage: '[options]',
    description: 'print the service graph',
    settings: OF_SERVER,
    load: async () => (await import('./graph.ts')).graphCommand,
  },
  {
    name: 'logs',
    usage: '[options] [name]',
    description: 'print logs of functions',
    settings: OF_SERVER,
    load: async () => (await import('./logs.ts')).logsCommand,
  },
  {
    name: 'tail',
    usage: '[options]',
    description: 'print logs and traces as they arrive',
    settings: OF_SERVER,
    load: async () => (await import('./tail.ts')).tailCommand,
  },
  {
    name: 'assert',
    usage: '[options] <file>',
    description: 'check traces against a file of expectations',
    load: async () => (await import('./assert.ts')).assertCommand,
  },
  {
    name: 'export',
    usage: '[options]',
    description: 'send traces to an OpenTelemetry backend, or write them to a file',
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'import',
    usage: '[options] <files...>',
    description: 'store the traces of files: each line is an OTLP/JSON message or an X-Ray document',
    load: async () => (await import('./import.ts')).importCommand,
  },
  {
    name: 'backup',
    usage: '[options] [name]',
    description: 'back up the store, also while a server runs',
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  {
    name: 'restore',
    usage: '[options] <name>',
    description: 'restore a backup into a new data directory or a new database of --store-url',
    load: async () => (await import('./backup.ts')).restoreCommand,
  },
  {
    name: 'repair',
    usage: '[options]',
    description: 'list the damaged parts of the store, and detach parts on request',
    load: async () => (await import('./repair.ts')).repairCommand,
  },
  {
    name: 'config',
    usage: '[options]',
    description: 'print every setting with its value and the source of the value',
    load: async () => (await import('./config.ts')).configCommand,
  },
  {
    name: 'runtime',
    usage: '',
    description: "install packages that Lambda's runtimes contain",
    settings: [],
    load: async () => (await import('./runtime.ts')).runtimeCommand,
  },
];
