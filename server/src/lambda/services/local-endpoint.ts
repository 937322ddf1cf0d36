import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalReason } from '../../request-origin.ts';
import type { QueueSpec } from '../spec/services.ts';

/** A port of loopback on which the local services answer the functions; only functions learn its URL. */
export type LocalEndpoint = {
  /** For `AWS_ENDPOINT_URL_…` of the functions. The first call starts to listen. */
  readonly url: () => Promise<string>;
  /** Sets the handler of all requests. Call it before the first `url`. */
  readonly serve: (handler: RequestListener) => void;
  readonly close: () => Promise<void>;
};

export function newLocalEndpoint(): LocalEndpoint {
  const server = createServer();
  let url: Promise<string> | undefined;
  return {
    url() {
      url ??= listen(server);
      return url;
    },
    serve(handler) {
      server.on('request', (request, response) => {
        const reason = refusalReason(request, 'none');
        if (reason === undefined) return handler(request, response);
        const headers = { 'content-type': 'application/json', 'x-amzn-errortype': 'AccessDeniedException' };
        response.writeHead(403, headers).end(JSON.stringify({ __type: 'AccessDeniedException', Message: reason }));
      });
    },
    async close() {
      if (url === undefined) return;
      // A port that could not be opened needs no close.
      await url.catch(() => {});
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** Paths of the queues on the endpoint, by the URL that each queue has on AWS. */
export function queuePaths(queues: readonly QueueSpec[], accountId: string): ReadonlyMap<string, string> {
  return new Map(queues.map(({ url, name }) => [url, `/${accountId}/${name}`]));
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
