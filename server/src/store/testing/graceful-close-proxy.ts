import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A proxy in front of a ClickHouse server that runs in the library: its listener ends the whole process when a
 * connection is reset, for example by the death of a client. Through the proxy it sees a normal end of the connection.
 * Data that it still sends is discarded.
 */
export type GracefulCloseProxy = {
  open(): Promise<void>;
  /** Refuses new connections and closes existing ones, like the port of a dead server. */
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
