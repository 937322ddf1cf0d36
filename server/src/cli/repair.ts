import { Command } from 'commander';
import { repair } from '../compose/repair.ts';
import { loadConfig } from '../config.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';

type RepairFlags = Readonly<Record<string, unknown>> & { readonly detach?: boolean; readonly config?: string };

const DAY_MS = 86_400_000;

/** `openray repair`: lists damaged parts of a store on which no server runs, and detaches them with `--detach`. */
export function repairCommand(done: (exitCode: number) => void): Command {
  return new Command('repair')
    .option('--detach', 'detach the damaged parts: their documents are missing from then on')
    .action(async (flags: RepairFlags) => {
      done(await runRepair(flags));
    });
}

/** The exit code: 1 if damaged parts are left. */
async function runRepair({ detach = false, ...flags }: RepairFlags): Promise<number> {
  const { config } = loadConfig(flags, process.env, flags.config);
  const log = newLog(config.logLevel === 'info' ? 'error' : config.logLevel);
  const parts = await repair(config, thisProcess(log), { detaches: detach });
  if (parts.length === 0) {
    process.stdout.write('no damaged parts\n');
    return 0;
  }
  for (const { table, name, reason, day } of parts) {
    const arrived =
      day === undefined ? '' : `, documents that arrived on ${new Date(day * DAY_MS).toISOString().slice(0, 10)}`;
    process.stdout.write(`${table} ${name}${arrived}: ${reason}\n`);
  }
  const count = `${parts.length} damaged ${parts.length === 1 ? 'part' : 'parts'}`;
  process.stdout.write(
    detach
      ? `${count} detached: the files are kept in the folder \`detached\` of the table\n`
      : `${count}: nothing was changed; openray repair --detach detaches them\n`,
  );
  process.stdout.write(RESTORE_HINT);
  return detach ? 0 : 1;
}

const RESTORE_HINT = `A backup from before the damage has the documents of these parts, and none that arrived after it:
  openray restore NAME --data-dir NEW_DIRECTORY
`;
