import { readFile } from 'node:fs/promises';

/** Linux's tables of UDP sockets; other systems have none. */
const PROC_NET_TABLES = ['/proc/net/udp', '/proc/net/udp6'];

/**
 * Packets to a local port that the system dropped since the socket was opened, because the buffer of the socket was
 * full. Undefined where the system does not report them.
 */
export async function readSocketDrops(port: number): Promise<number | undefined> {
  const tables = await Promise.all(PROC_NET_TABLES.map((table) => readFile(table, 'utf8').catch(() => '')));
  return parseSocketDrops(tables.join('\n'), port);
}

/**
 * Sum of the last column over the sockets of the port; the port is in hex after the address.
 * @see https://docs.kernel.org/networking/proc_net_tcp.html
 */
export function parseSocketDrops(table: string, port: number): number | undefined {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  let drops: number | undefined;
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    const count = Number(columns.at(-1));
    if (columns[1]?.endsWith(`:${hexPort}`) && Number.isSafeInteger(count)) drops = (drops ?? 0) + count;
  }
  return drops;
}
