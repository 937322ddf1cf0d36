import { expect, test } from 'vitest';
import { withStartedCommand } from './started-command.ts';

const HINT = 'on AWS, python3.12 brings boto3: run openray runtime install python, once on this machine.';

test.each([
  ['exec', 'run npx openray runtime install python'],
  ['run-script', 'run openray runtime install python'],
  [undefined, 'run openray runtime install python'],
])('a hint of openray started with the npm command %s says: %s', (npmCommand, part) => {
  expect(withStartedCommand(HINT, { npm_command: npmCommand })).toContain(part);
});
