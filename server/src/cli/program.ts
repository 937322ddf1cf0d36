import { startEngineForServe } from '../compose/early-engine.ts';

/** The installed program. Runs one command; resolves with the exit code of the process. */
export async function main(argv: readonly string[]): Promise<number> {
  startEngineForServe(argv, process.env);
  const program = await import('./main.ts');
  return program.main(argv);
}
