import { readFileSync } from 'node:fs';
import { MANIFEST } from '../../../package/files.ts';

/** The machine that openray runs on, in Node's words. */
export type Machine = { readonly platform: string; readonly arch: string; readonly hasGlibc: boolean };

const REMOTE = 'keep the traces in a ClickHouse server: --store-url URL';

/** A sentence that names the remedy on a machine without a loaded engine. `reason` is the message of the failed load. */
export function missingEngine({ platform, arch, hasGlibc }: Machine, reason: string): string {
  if (platform === 'win32') {
    return `There is no embedded engine for Windows: run openray in WSL 2, or ${REMOTE}`;
  }
  if (platform === 'linux' && !hasGlibc) {
    return (
      'There is no embedded engine for Linux with musl, such as Alpine: use an image or a distribution with glibc, ' +
      `such as node:24-slim, or ${REMOTE}`
    );
  }
  const names: Record<string, string | undefined> = { darwin: 'macOS', linux: 'Linux' };
  const name = names[platform] ?? platform;
  if (names[platform] === undefined || (arch !== 'x64' && arch !== 'arm64')) {
    return `There is no embedded engine for ${name} on ${arch}: ${REMOTE}`;
  }
  return (
    `The embedded engine, npm's chdb, cannot be loaded on ${name} ${arch} (${reason}): install it with ` +
    `"npm install ${pinnedChdb()}", or ${REMOTE}`
  );
}

/** Whether this process runs on glibc. Takes some milliseconds, so it is for failures only. */
export function hasGlibc(): boolean {
  if (process.platform !== 'linux' || process.report === undefined) return false;
  // Otherwise the report looks up names of network addresses, which may take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

function pinnedChdb(): string {
  const manifest = readFileSync(MANIFEST, 'utf8');
  const { optionalDependencies } = JSON.parse(manifest) as { optionalDependencies: Record<string, string> };
  return `chdb@${optionalDependencies.chdb}`;
}
