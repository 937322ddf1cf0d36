import { type Command, Option } from 'commander';

const VALUES = [
  ...['--stack-name', '--profile', '--docker-network', '--container-host', '--container-host-interface'],
  ...['--invoke-image', '--log-file', '--docker-volume-basedir', '--layer-cache-basedir', '--warm-containers'],
  ...['--debugger-path', '--container-env-vars', '--add-host', '--static-dir', '--tenant-id', '--runtime'],
];
const SWITCHES = [
  ...['--no-event', '--skip-pull-image', '--force-image-build', '--shutdown', '--disable-authorizer'],
  ...['--no-memory-limit', '--mount-symlinks', '--debug'],
];

/** Flags of SAM that say nothing here: containers, stacks and profiles. Taken, so that a Makefile need not change. */
export function ignoreSamFlags(command: Command): void {
  for (const flag of VALUES) command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of SWITCHES) command.addOption(new Option(flag).hideHelp());
}
