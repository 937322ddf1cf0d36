/**
 * `npm start`: starts openray with the example's functions, runs each once, and keeps the server running until Ctrl-C.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { runOpenray, startOpenray } from './openray.ts';
import { startRegistrationPage } from './registration-page.ts';

const EXAMPLE = fileURLToPath(new URL('../examples/user-registration', import.meta.url));
const EVENT = `${EXAMPLE}/events/valid_user.json`;

const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);

const port = await configuredPort(process.argv.slice(2));
const daemonAddress = `127.0.0.1:${port}`;

// The page starts first: its address is a parameter of the functions, and it sends segments only when it is called.
// Functions that run with `make local-…` call it on port 8099.
const page = await startRegistrationPage({ daemonAddress, port: 8099 }).catch(() =>
  startRegistrationPage({ daemonAddress, port: 0 }),
);
try {
  const server = await startOpenray([
    ...['--template', `${EXAMPLE}/template.yaml`, '--parameter-overrides', `RegistrationUrl=${page.url}`],
    ...[...process.argv.slice(2), '--port', String(port)],
  ]);
  process.stdout.write(server.output());
  for (const name of ['VanillaFunction', 'InstrumentedFunction', 'OtelFunction']) {
    process.stdout.write(
      `\n$ openray invoke ${name} --event-file events/valid_user.json --endpoint-url ${server.url}\n`,
    );
    await runOpenray(['invoke', name, '--event-file', EVENT, '--endpoint-url', server.url], { isShown: true });
    process.stdout.write('\n');
  }
  process.stdout.write(`\nThe console shows their traces: ${server.url}/traces\nStop with Ctrl-C.\n`);
  await Promise.race([stopped, once(server.process, 'exit')]);
  await server.stop();
} finally {
  await page.stop();
}

/** The port that the flags and the settings file name. The page needs it before the server starts, so 0 is replaced. */
async function configuredPort(flags: readonly string[]): Promise<number> {
  const { stdout, stderr } = await runOpenray(['config', ...flags]);
  const found = /^port +(\d+) /m.exec(stdout)?.[1];
  if (found === undefined) throw new Error(stderr.trim());
  return found === '0' ? freePort() : Number(found);
}
