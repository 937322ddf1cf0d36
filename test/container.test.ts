import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DCLinter } from 'dclint';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { runOpenray } from '../scripts/openray.ts';
import { serverForThisTest } from './support/server.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

const text = read('Dockerfile');
const dockerfile = DockerfileParser.parse(text);
const instructions = dockerfile.getInstructions().map((instruction) => ({
  keyword: instruction.getKeyword(),
  args: instruction.getArguments().map((argument) => argument.getValue()),
}));
const argumentsOf = (keyword: string) =>
  instructions.filter((instruction) => instruction.keyword === keyword).map(({ args }) => args);
const environment = Object.fromEntries(
  dockerfile.getENVs().flatMap((env) => env.getProperties().map((each) => [each.getName(), each.getValue() ?? ''])),
);
const copies = dockerfile.getCOPYs().map((copy) => {
  const paths = copy.getArguments().map((argument) => argument.getValue());
  return { from: copy.getFromFlag()?.getValue(), sources: paths.slice(0, -1), target: paths.at(-1) as string };
});

type Service = {
  readonly image: string;
  readonly build?: string;
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
};
type Compose = { readonly services: { readonly clickhouse: Service; readonly openray: Service } };
const { clickhouse, openray } = (parseYaml(read('compose.yaml')) as Compose).services;

const page = read('docs/how-to/docker.md');
const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) =>
  (block as string).trim().split('\n'),
);

/** Words of a line of shell without its comment; quotes keep their words together and are removed. */
const words = (line: string) =>
  [...line.replace(/\s+#.*/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? (plain as string));

describe('the Dockerfile', () => {
  test('has no problem that the linter knows', () => {
    expect(validate(text)).toEqual([]);
  });

  test('is built on Debian by name, since the engine needs glibc', () => {
    for (const [image] of argumentsOf('FROM')) expect(image).toMatch(/^node:\d+-bookworm-slim$/);
  });

  test('runs scripts that are in package.json', () => {
    const run = argumentsOf('RUN').flat().join(' ');
    const names = [...run.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name as string);
    expect(names).toEqual(['build']);
    for (const name of names) expect(scripts).toHaveProperty(name);
  });

  test('copies files that are in the repository, or that the build of the first stage makes', () => {
    for (const { from, sources } of copies) {
      for (const source of sources) {
        const path = from === undefined ? source : source.replace(/^\/openray\//, '');
        const isBuilt = path === 'node_modules' || path.endsWith('/dist');
        expect(isBuilt || existsSync(`${ROOT}${path}`), source).toBe(true);
      }
    }
  });

  test('contains every folder of the package, and the console where the server looks for it', () => {
    const { files } = JSON.parse(read('server/package.json')) as { files: readonly string[] };
    const targets = copies.map(({ target }) => target);
    for (const file of files.filter((name) => existsSync(`${ROOT}server/${name}/`))) {
      expect(targets).toContain(`./server/${file}`);
    }
    expect(targets).toContain('./console/dist');
  });

  test('reads nothing that .dockerignore leaves out', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const { from, sources } of copies) {
      if (from === undefined) for (const source of sources) expect(ignored).not.toContain(source);
    }
    for (const needed of ['server', 'console', 'examples', 'scripts', 'package-lock.json', 'tsconfig.base.json']) {
      expect(ignored).not.toContain(needed);
    }
  });

  test('runs as a user without rights, with its data in a volume', () => {
    expect(argumentsOf('USER')).toEqual([['1000']]);
    expect(argumentsOf('VOLUME')).toEqual([[environment.OPENRAY_DATA_DIR]]);
  });

  test('sets settings that openray knows', async () => {
    const { exitCode, stderr } = await runOpenray(['config'], { env: environment });
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('its health check passes for a running server, and fails without one', async () => {
    const command = JSON.parse(/HEALTHCHECK[^[]*(\[.*\])/.exec(text)?.[1] as string) as string[];
    const [program, ...args] = command as [string, ...string[]];
    const check = (port: string) => promisify(execFile)(program, args, { env: { ...process.env, OPENRAY_PORT: port } });

    const server = await serverForThisTest();
    const port = server.daemonAddress.split(':')[1] as string;
    await check(port);
    await server.stop();
    await expect(check(port)).rejects.toMatchObject({ code: 1 });
  });
});

describe('compose.yaml', () => {
  test('has no problem that the linter knows', () => {
    const rules = {
      // The formatter of this repository writes double quotes.
      'require-quotes-in-ports': [2, { quoteType: 'double' }],
      // The image is built here, under the name that `docker run` uses too.
      'no-build-and-image': 0,
      'service-image-require-explicit-tag': 0,
      // A matter of taste.
      'service-keys-order': 0,
    } as const;
    const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] });
    const results = linter.lintFiles([`${ROOT}compose.yaml`], false);
    expect(results.flatMap(({ messages }: { readonly messages: readonly object[] }) => messages)).toEqual([]);
    expect(results).toHaveLength(1);
  });

  test('starts a ClickHouse of a full version, on loopback only, and waits until it is healthy', () => {
    expect(clickhouse.image).toMatch(/^clickhouse\/clickhouse-server:\d+\.\d+\.\d+\.\d+$/);
    expect(clickhouse.ports).toEqual(['127.0.0.1:8123:8123']);
    expect(clickhouse.healthcheck).toBeDefined();
    expect(openray.depends_on).toEqual({ clickhouse: { condition: 'service_healthy' } });
  });

  test('gives openray the user, the password and the port of this ClickHouse', async () => {
    const url = new URL((openray.environment.OPENRAY_STORE_URL as string).replace(/\$\{\w+\}/, 'secret'));
    expect(url.username).toBe(clickhouse.environment.CLICKHOUSE_USER);
    expect(clickhouse.environment.CLICKHOUSE_PASSWORD).toMatch(/^\$\{CLICKHOUSE_PASSWORD:\?/);
    expect(`${url.host}:8123`).toBe(clickhouse.ports?.[0]);

    const { stdout, stderr } = await runOpenray(['config'], { env: { OPENRAY_STORE_URL: url.href } });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^storeUrl .*openray:\*+@127\.0\.0\.1:8123\/openray/m);
  });

  test('lets openray listen where the machine reaches it, with data that a new container keeps', () => {
    expect(openray.network_mode).toBe('host');
    expect(openray.volumes.map((volume) => volume.split(':')[1])).toEqual([environment.OPENRAY_DATA_DIR]);
  });
});

describe('the page about containers', () => {
  const runs = commands.filter((line) => line.startsWith('docker run ')).map(words);
  const FLAGS_WITH_VALUE = ['--name', '--network', '--volume', '--env'];
  const FLAGS = ['--detach', '--init', '--rm'];

  /** A `docker run` in parts: its flags, the image, and the arguments after it. */
  function partsOf([, , ...rest]: readonly string[]) {
    const flags: [string, string][] = [];
    let index = 0;
    for (; rest[index]?.startsWith('--'); index += 1) {
      const flag = rest[index] as string;
      const value = FLAGS_WITH_VALUE.includes(flag) ? (rest[++index] as string) : '';
      expect([...FLAGS_WITH_VALUE, ...FLAGS]).toContain(flag);
      flags.push([flag, value]);
    }
    return { flags, image: rest[index], args: rest.slice(index + 1) };
  }

  test('builds and runs the image that compose.yaml names', () => {
    expect(commands[0]).toBe(`docker build --tag ${openray.image} .`);
    expect(runs.length).toBeGreaterThan(2);
    for (const run of runs) expect(partsOf(run).image).toBe(openray.image);
  });

  test("mounts the data directory and the image's working folder", () => {
    const targets = runs.flatMap((run) => partsOf(run).flags.filter(([flag]) => flag === '--volume'));
    for (const [, volume] of targets) {
      expect([environment.OPENRAY_DATA_DIR, ...argumentsOf('WORKDIR').flat()]).toContain(volume.split(':')[1]);
    }
  });

  test('uses commands and flags of openray that exist', async () => {
    const inside = commands.filter((line) => line.startsWith('docker exec ')).map((line) => words(line).slice(4));
    const used = [...runs.map((run) => partsOf(run).args).filter((args) => args.length > 0), ...inside];
    expect(used.length).toBeGreaterThan(3);
    for (const [command, ...args] of used) {
      const { stdout, exitCode } = await runOpenray([command as string, '--help']);
      expect(exitCode, command).toBe(0);
      for (const flag of args.filter((arg) => arg.startsWith('-'))) expect(stdout).toContain(` ${flag} `);
    }
  });

  test('names files and commands that README names too', () => {
    const readme = read('README.md');
    expect(readme).toContain(commands[0]);
    expect(commands).toContain('docker compose up --detach --wait');
    expect(readme).toContain('docker compose up --detach --wait');
  });
});
