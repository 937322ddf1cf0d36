import { Help } from 'commander';
import { expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';
import { loadCommand } from './main.ts';

test.each(COMMANDS)('the list shows $name as the command itself does', async (entry) => {
  const command = await loadCommand(entry, () => {});
  expect(command.name()).toBe(entry.name);
  expect(new Help().subcommandTerm(command).trim()).toBe(`${entry.name} ${entry.usage}`.trim());
});
