import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands before a ClickHouse server that is made of the library: its listener ends the whole process when a connection
 * is reset, which a client does that is killed. Here it sees an orderly end instead, and what it still sends is read
 * away.
 */
export type GracefulCloseProxy = {
  open(): Promise<void>;
  /** Refuses connections from now on and ends those there are, as the port of a dead server does. */
  close(): Promise<void>;
};

export function newGracefulCloseProxy(port: number, targetPort: number): GracefulCloseProxy {
  const clients = new Set<Socket>();
  let server: Server | undefined;

  function join(client: Socket): void {
    clients.add(client);
    const target = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true, noDelay: true });
    client.pipe(target);
    target.pipe(client);
    client.on('error', () => endGracefully(client, target));
    client.on('close', () => {
      clients.delete(client);
      endGracefully(client, target);
    });
    target.on('error', () => client.destroy());
    target.on('close', () => client.end());
  }

  return {
    async open() {
      if (server?.listening) return;
      server = createServer({ allowHalfOpen: true, noDelay: true }, join).listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    async close() {
      if (!server?.listening) return;
      server.close();
      for (const client of clients) client.destroy();
      await once(server, 'close');
    },
  };
}

function endGracefully(client: Socket, target: Socket): void {
  target.unpipe(client);
  target.resume();
  target.end();
}
