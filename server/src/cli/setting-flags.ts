import { type Command, Option } from 'commander';
import { type SettingName, settings } from '../config.ts';

/** Adds the flags of settings, unless the command has a flag of its own for them; of all settings by default. */
export function addSettingFlags(command: Command, names?: readonly SettingName[]): void {
  command.option('--config <file>', 'settings file (YAML or JSON)');
  for (const { name, flag, meaning } of settings) {
    if (names?.includes(name) === false || command.options.some((option) => option.attributeName() === name)) continue;
    command.addOption(new Option(`${flag} <value>`, meaning).helpGroup('Settings:'));
  }
}
