import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import xray from 'aws-xray-sdk';

/** The service that the functions call. Its segments go to AWS_XRAY_DAEMON_ADDRESS, read when this module loads. */
export type RegistrationPage = {
  /** Value for REGISTRATION_URL. */
  readonly url: string;
  readonly close: () => Promise<void>;
};

xray.middleware.setDefaultName('registration-page');

/** Listens on loopback; port 0 takes a free one. Rejects when the port is in use. */
export async function startRegistrationPage(port = 8099): Promise<RegistrationPage> {
  const server = createServer((request, response) => {
    // Joins the caller's trace and keeps to its sampling decision, both from X-Amzn-Trace-Id;
    // the segment takes the status of the response and is sent when that is finished.
    const segment = xray.middleware.traceRequestResponseCycle(request, response);
    xray.getNamespace().run(() => {
      xray.setSegment(segment);
      answer(request, response).catch((error: Error) => {
        segment.addError(error);
        response.writeHead(500).end();
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/2024/`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeIdleConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' || request.url !== '/2024/') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page\n');
    return;
  }
  const page = await renderPage(2024);
  response.writeHead(200, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(page) }).end(page);
}

function renderPage(edition: number): Promise<string> {
  return xray.captureAsyncFunc('render page', async (subsegment) => {
    try {
      subsegment?.addAnnotation('edition', edition);
      const template = await readFile(new URL('page.html', import.meta.url), 'utf8');
      const page = template.replaceAll('{{edition}}', String(edition));
      subsegment?.addMetadata('characters', page.length);
      subsegment?.close();
      return page;
    } catch (error) {
      subsegment?.close(error as Error);
      throw error;
    }
  });
}
