import { DEFAULT_POOL_SIZE, startEngineEarly } from '../store/engine/embedded/engine-spawn.ts';

/**
 * Starts the process of the embedded engine for `openray serve`, before the rest of the program is loaded. A settings
 * file may still name a remote store or another size of the pool; then the process is ended unused.
 */
export function startEngineForServe(
  argv: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): void {
  const isRemote = variables.OPENRAY_STORE_URL !== undefined || argv.some((arg) => /^--store-url(=|$)/.test(arg));
  const isHelp = argv.some((arg) => arg === '--help' || arg === '-h');
  if (argv[0] === 'serve' && !isRemote && !isHelp) startEngineEarly(DEFAULT_POOL_SIZE);
}
