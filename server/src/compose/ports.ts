import { OpenrayError } from '../errors.ts';
import type { UdpListener } from '../ingest/udp.ts';

/** Attempts of `port: 0` to find a number that is free for both UDP and TCP. */
const MAX_PORT_ATTEMPTS = 20;

type TcpListener = { listen(options: { host: string; port: number }): Promise<string> };

/** Listens on the same number over UDP and TCP; with port 0 on one that is free for both. Throws when it is in use. */
export async function listenUdpAndTcp(
  app: TcpListener,
  listenUdp: (port: number) => Promise<UdpListener>,
  host: string,
  port: number,
): Promise<UdpListener> {
  for (let attempts = 1; ; attempts += 1) {
    const udp = await listenUdp(port).catch((cause: unknown) => {
      throw listenError('UDP', host, port, cause);
    });
    try {
      await app.listen({ host, port: udp.port });
      return udp;
    } catch (cause) {
      await udp.close();
      if (port !== 0 || attempts === MAX_PORT_ATTEMPTS) throw listenError('TCP', host, udp.port, cause);
    }
  }
}

/** `host:port`, with an IPv6 address in brackets. */
export function authorityOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The most frequent reason for which a server does not start, as one sentence. */
export function listenError(
  protocol: 'UDP' | 'TCP',
  host: string,
  port: number,
  cause: unknown,
  { by, flag }: { readonly by: string; readonly flag: string } = {
    by: 'another openray or the X-Ray daemon',
    flag: '--port',
  },
): OpenrayError {
  const code = (cause as { code?: string } | undefined)?.code;
  const reason =
    code === 'EADDRINUSE'
      ? `is in use, perhaps by ${by}; stop it or choose another with ${flag}`
      : `cannot be listened on (${code ?? String(cause)})`;
  return new OpenrayError('ServiceUnavailable', `${protocol} port ${port} on ${host} ${reason}`, { cause });
}
