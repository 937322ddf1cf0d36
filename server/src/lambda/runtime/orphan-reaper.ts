import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Lines `+PID` and `-PID` say which processes to guard. When the input ends, its writer is gone, however it ended:
 * what is still guarded is killed then, with all below it and the group that it leads.
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

/** One for all processes that this one starts, like the end that it waits for. */
let reaper: ChildProcess | undefined;

/**
 * Sees to it that `child` does not outlive this process, even when this one is killed without a chance to do anything.
 * A handler that never gives control back would not notice by itself that nobody listens any more.
 */
export function reapWhenOrphaned(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  notifyReaper(`+${pid}`);
  child.once('exit', () => notifyReaper(`-${pid}`));
}

function notifyReaper(change: string): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${change}\n`);
}

function startReaper(): ChildProcess {
  // In a session of its own: what a terminal sends to everybody in the foreground must not end it first.
  const child = spawn('/bin/sh', ['-c', REAPER_SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  child.unref();
  // Typed as a stream; it is a socket, which may keep a process running.
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
