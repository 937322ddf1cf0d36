import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const COLLECTOR = fileURLToPath(new URL('collector', import.meta.url));
const BUILT = fileURLToPath(new URL('../../node_modules/.cache/openray-peers', import.meta.url));

/** The path of an installed program, or the reason for which it is missing. */
export type Peer = { readonly path: string } | { readonly missing: string };

/** OpenTelemetry's Collector, built from its Go modules; Go's build cache skips unchanged parts. */
export function collectorProgram(): Peer {
  if (spawnSync('go', ['version']).status !== 0) return { missing: 'there is no go to build the collector with' };
  const path = join(BUILT, 'collector');
  process.stderr.write('building the collector: minutes for the first time …\n');
  const { status } = spawnSync('go', ['build', '-p=1', '-buildvcs=false', '-o', path, '.'], {
    cwd: COLLECTOR,
    stdio: ['ignore', 2, 2],
  });
  return status === 0 ? { path } : { missing: `go cannot build ${COLLECTOR}` };
}

/** The X-Ray daemon of AWS: `XRAY_DAEMON_PATH`, else `xray` of the PATH. */
export function xrayDaemonProgram(): Peer {
  const { XRAY_DAEMON_PATH: named, PATH = '' } = process.env;
  const paths = named === undefined ? PATH.split(delimiter).map((folder) => join(folder, 'xray')) : [named];
  const path = paths.find((candidate) => existsSync(candidate));
  return path === undefined
    ? { missing: 'there is no X-Ray daemon: install it as AWS describes, or set XRAY_DAEMON_PATH to its program' }
    : { path };
}

export type PeerProcess = {
  /** Its output so far. */
  output(): string;
  stop(): Promise<void>;
};

/**
 * Runs a peer for this test; resolves when its output matches `isReady`, rejects with its output when it ends before.
 */
export async function startPeer(
  path: string,
  args: readonly string[],
  { isReady, env = {} }: { readonly isReady: RegExp; readonly env?: Readonly<Record<string, string>> },
): Promise<PeerProcess> {
  const child: ChildProcess = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const exited = once(child, 'exit');
  let printed = '';
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        printed += bytes.toString();
        if (isReady.test(printed)) resolve();
      });
    }
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`${path} ended with ${code} before it was ready:\n${printed}`)));
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };
  onTestFinished(stop);
  await ready;
  return { output: () => printed, stop };
}
