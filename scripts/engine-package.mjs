// Plain JavaScript without dependencies: scripts/prepare.mjs uses it before packages are installed.

/**
 * The package of the embedded engine for a platform, with its version, or undefined where there is no engine.
 * @param {{ platform: string, arch: string, hasGlibc: boolean }} machine
 * @param {Readonly<Record<string, string>>} packages chdb's optional dependencies: name to version
 * @returns {{ name: string, version: string } | undefined}
 */
export function enginePackage({ platform, arch, hasGlibc }, packages) {
  if (platform === 'linux' && !hasGlibc) return undefined;
  const name = `@chdb/lib-${platform}-${arch}${platform === 'linux' ? '-gnu' : ''}`;
  const version = packages[name];
  return version === undefined ? undefined : { name, version };
}

/** The machine that this process runs on. */
export function thisMachine() {
  const { platform, arch, report } = process;
  if (platform !== 'linux') return { platform, arch, hasGlibc: false };
  // Otherwise the report looks up names of network addresses, which may take seconds.
  report.excludeNetwork = true;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (report.getReport());
  return { platform, arch, hasGlibc: header.glibcVersionRuntime !== undefined };
}
