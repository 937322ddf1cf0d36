import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads lines `+PID` and `-PID`, which add and remove a guarded process. The input ends when its writer exits or is
 * killed. The script then kills each guarded process, its descendants and the group that it leads.
 */
const REAPER_SCRIPT = `
end() {
  for child in $(cat /proc/$1/task/*/children 2>/dev/null); do end "$child"; done
  kill -9 "-$1" 2>/dev/null
  kill -9 "$1" 2>/dev/null
}
guarded=
while read -r change; do
  pid=\${change#?}
  case $change in
    +*) guarded="$guarded $pid " ;;
    -*) guarded="\${guarded%% $pid *} \${guarded#* $pid }" ;;
  esac
done
for pid in $guarded; do end "$pid"; done`;

/** One reaper guards all processes that this process starts. */
let reaper: ChildProcess | undefined;

/**
 * Waits for a line, then becomes the program of its arguments. The input ends without a line when this process was
 * killed before the reaper knew the child. One pipe for both outputs keeps their order.
 */
const START_SCRIPT = 'read -r OPENRAY_START || exit 1; exec "$@" 2>&1 </dev/null';

/**
 * Starts a program that is killed when this process ends, even if this process is killed by SIGKILL. The program cannot
 * do this itself: a handler in an endless loop does not notice that the Runtime API is closed. Both of its outputs are
 * `stdout`; it leads a process group of its own.
 */
export function startReaped(
  command: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): ChildProcess {
  const child = spawn('/bin/sh', ['-c', START_SCRIPT, 'sh', ...command], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  child.stdin?.on('error', () => {});
  const { pid } = child;
  if (pid === undefined) return child;
  notifyReaper(`+${pid}`);
  child.once('exit', () => notifyReaper(`-${pid}`));
  child.stdin?.end('\n');
  return child;
}

function notifyReaper(change: string): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${change}\n`);
}

function startReaper(): ChildProcess {
  // Runs in its own session: a signal that a terminal sends to the foreground group must not end it first.
  const child = spawn('/bin/sh', ['-c', REAPER_SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  child.unref();
  // Typed as a stream, but it is a socket, and would keep this process running.
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
