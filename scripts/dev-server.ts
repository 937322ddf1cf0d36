import { parseArgs } from 'node:util';
import { loadConfig } from '../server/src/config.ts';
import { freePort } from './free-port.ts';

/** Arguments of `openray serve` for `npm run dev`, and the URL at which the console finds that server. */
export type DevServer = { readonly args: readonly string[]; readonly url: string };

/** For port 0 a free port is chosen here, since the console must know it. */
export async function devServer(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DevServer> {
  const { values } = parseArgs({
    args: [...args],
    options: { host: { type: 'string' }, port: { type: 'string' }, config: { type: 'string' } },
    strict: false,
  });
  const { host, port, config: file } = values;
  const { config } = loadConfig({ host, port }, environment, typeof file === 'string' ? file : undefined);
  const at = (number: number) => `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${number}`;
  if (config.port !== 0) return { args, url: at(config.port) };
  const free = await freePort();
  return { args: [...args, '--port', String(free)], url: at(free) };
}
