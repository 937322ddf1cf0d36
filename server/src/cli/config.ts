import { Command } from 'commander';
import { formatSetting, loadConfig, settings } from '../config.ts';

/** `openray config`: prints every setting with its value and the source of the value. */
export function configCommand(): Command {
  return new Command('config').action((flags: Record<string, unknown>) => {
    const { config, sources } = loadConfig(flags, process.env, flags.config as string | undefined);
    const rows = settings.map(({ name }) => [name, formatSetting(config, name), sources[name]] as const);
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column as 0 | 1].length)));
    for (const [name, value, source] of rows) {
      process.stdout.write(`${name.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${source}\n`);
    }
  });
}
