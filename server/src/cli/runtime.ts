import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Argument, Command } from 'commander';
import { runtimePackagesDir } from '../compose/lambda.ts';
import { OpenrayError } from '../errors.ts';
import { RUBY_CLIENT_GEM, RUBY_CLIENT_VERSION } from '../lambda/runtime/ruby-command.ts';
import { RUNTIMES_DIR } from '../package/files.ts';
import { installJava } from './install-java.ts';

/** Clients of the AWS SDK that functions use most; Lambda's runtimes have all of them. */
const NODE_CLIENTS = [
  ...['cloudwatch', 'cloudwatch-logs', 'cognito-identity-provider', 'dynamodb', 'eventbridge', 'kinesis', 'kms'],
  ...['lambda', 's3', 'scheduler', 'secrets-manager', 'ses', 'sfn', 'sns', 'sqs', 'ssm', 'sts', 'xray'],
];
const NODE_PACKAGES = [
  ...NODE_CLIENTS.map((name) => `client-${name}`),
  ...['credential-providers', 'lib-dynamodb', 'lib-storage', 's3-request-presigner', 'util-dynamodb'],
].map((name) => `@aws-sdk/${name}@3`);
const PYTHON_PACKAGES = ['boto3'];

/**
 * `openray runtime install LANGUAGE [PACKAGE…]`: installs the packages that Lambda's runtimes bring, for functions that
 * do not have them, where functions look last; for java and ruby, AWS's runtime client.
 */
export function runtimeCommand(): Command {
  const command = new Command('runtime');
  command
    .command('install')
    .description(
      'install the packages of a runtime once for all functions: the AWS SDK v3 for node, boto3 for python, the runtime client for java and ruby',
    )
    .addArgument(new Argument('<language>', 'runtime').choices(['node', 'python', 'java', 'ruby']))
    .argument('[packages...]', 'other packages of the runtime of node, python or ruby')
    .action(async (language: Language, packages: readonly string[]) => {
      process.stdout.write(`installed in ${await install(language, packages)}\n`);
    });
  return command;
}

type Language = 'node' | 'python' | 'java' | 'ruby';

/** Returns the folder. */
async function install(language: Language, packages: readonly string[]): Promise<string> {
  const packagesDir = runtimePackagesDir(process.env);
  const folder = join(packagesDir, language);
  switch (language) {
    case 'node':
      await installNode(folder, packages);
      return folder;
    case 'python':
      await installPython(folder, packages);
      return folder;
    case 'ruby':
      await installRuby(folder, packages);
      return folder;
    case 'java':
      return installJava({ runtimesDir: RUNTIMES_DIR, packagesDir, variables: process.env, run });
  }
}

async function installNode(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{"private":true}\n');
  const wanted = packages.length === 0 ? NODE_PACKAGES : packages;
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, ...wanted]);
}

async function installPython(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const wanted = packages.length === 0 ? PYTHON_PACKAGES : packages;
  const options = ['--quiet', '--disable-pip-version-check', '--upgrade', '--target', folder];
  await run('python3', ['-m', 'pip', 'install', ...options, ...wanted]);
}

async function installRuby(folder: string, packages: readonly string[]): Promise<void> {
  const wanted = packages.length === 0 ? [`${RUBY_CLIENT_GEM}:${RUBY_CLIENT_VERSION}`] : packages;
  await run('gem', ['install', '--quiet', '--no-document', '--install-dir', folder, ...wanted]);
}

/** Throws SettingInvalid with the last line of the program's errors. */
async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(program, [...args], { maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: string; message: string };
    const reason = stderr?.trim().split('\n').at(-1) || message;
    throw new OpenrayError('SettingInvalid', `${program} cannot install the packages: ${reason}`, { cause });
  }
}
