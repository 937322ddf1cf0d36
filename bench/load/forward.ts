import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { OTLP_PROTOCOLS, type OtlpProtocol } from '../../server/src/forward/otlp-endpoint.ts';
import type { Figure } from './figure.ts';
import { loadOtlp } from './otlp-load.ts';
import type { Sender } from './sender.ts';

/** Ingest rate with forwarding of all spans, beside the rate without: both per second of CPU. */
export async function* forwarding(
  folder: string,
  sender: Sender,
  spans: number,
  log: (text: string) => void,
): AsyncGenerator<Figure> {
  log('loading without forwarding');
  const alone = await loadOtlp('http', join(folder, 'forward-none'), sender, { waitsUntilIdle: true });
  for (const protocol of OTLP_PROTOCOLS) {
    log(`loading and forwarding over ${protocol}`);
    const backend = await startBackend(protocol);
    const flags = ['--forward-otlp', backend.url, '--forward-otlp-protocol', protocol];
    const queue = ['--forward-queue-max-bytes', String(1024 ** 3)];
    try {
      const to = join(folder, `forward-${protocol.replace('/', '-')}`);
      const { cpuSeconds } = await loadOtlp('http', to, sender, { flags: [...flags, ...queue], waitsUntilIdle: true });
      yield {
        name: `ingest-otlp-forwarding-${protocol}`,
        description: `ingest over OTLP/HTTP with forwarding over ${protocol}, per second of CPU until idle (bare: without forwarding)`,
        unit: 'spans/s',
        value: spans / cpuSeconds,
        bare: spans / alone.cpuSeconds,
      };
    } finally {
      backend.close();
    }
  }
}

/** A backend that accepts all requests and discards them. */
async function startBackend(protocol: OtlpProtocol): Promise<{ readonly url: string; close(): void }> {
  if (protocol === 'grpc') return startGrpcBackend();
  const server = createServer((request, reply) => {
    request.resume();
    request.on('end', () => reply.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

async function startGrpcBackend(): Promise<{ readonly url: string; close(): void }> {
  const server = new Server();
  const asIs = (bytes: Buffer) => bytes;
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const answer = (_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, Buffer.alloc(0));
  server.addService({ Export: { path, requestStream: false, responseStream: false, ...codec } }, { Export: answer });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (cause, bound) =>
      cause === null ? resolve(bound) : reject(cause),
    ),
  );
  return { url: `http://127.0.0.1:${port}`, close: () => server.forceShutdown() };
}
