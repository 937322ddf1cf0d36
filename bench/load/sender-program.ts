/** The process behind `sender.ts`. */
import { Agent } from 'node:http';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { makeBodies } from './bodies.ts';
import { answerRequests } from './child-program.ts';
import { makeDataset } from './generate.ts';
import { post, sendDatagrams } from './send.ts';
import type { SenderRequest, SendTarget, SendTimes } from './sender.ts';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

const sets = new Map<string, readonly Buffer[]>();

async function answer(request: SenderRequest): Promise<SendTimes | undefined> {
  if (request.kind === 'send') return sendAll(sets.get(request.set) ?? [], request.target);
  const { set, format, dataset, first, last } = request;
  // The earlier set is free before its successor is made.
  sets.delete(set);
  sets.set(set, makeBodies(format, makeDataset(dataset), first, last));
  return undefined;
}

async function sendAll(bodies: readonly Buffer[], target: SendTarget): Promise<SendTimes> {
  const latenciesMs: number[] = [];
  const beganMs = performance.now();
  if (target.protocol === 'datagram') {
    await sendDatagrams(target.port, bodies);
  } else {
    const { send, close } = senderTo(target);
    const waiting = bodies.values();
    const worker = async () => {
      for (const body of waiting) {
        const sentMs = performance.now();
        await send(body);
        latenciesMs.push(performance.now() - sentMs);
      }
    };
    await Promise.all(Array.from({ length: target.connections }, worker));
    close();
  }
  return { seconds: (performance.now() - beganMs) / 1000, latenciesMs, bodies: bodies.length };
}

type Connection = { send(body: Buffer): Promise<void>; close(): void };

function senderTo({ protocol, url, connections }: Exclude<SendTarget, { protocol: 'datagram' }>): Connection {
  switch (protocol) {
    case 'xray':
      return overHttp(`${url}/TraceSegments`, 'application/json', connections, (text) => {
        const { UnprocessedTraceSegments } = JSON.parse(text) as { UnprocessedTraceSegments: readonly object[] };
        const [rejected] = UnprocessedTraceSegments;
        if (rejected !== undefined) throw new Error(`a document was rejected: ${JSON.stringify(rejected)}`);
      });
    case 'otlp-http':
      return overHttp(`${url}/v1/traces`, 'application/x-protobuf', connections, () => {});
    case 'otlp-grpc':
      return overGrpc(url);
  }
}

function overHttp(url: string, contentType: string, connections: number, check: (text: string) => void): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    async send(body) {
      const { status, text } = await post(agent, url, contentType, body);
      if (status !== 200) throw new Error(`${url} answered ${status}: ${text.slice(0, 300)}`);
      check(text);
    },
    close: () => agent.destroy(),
  };
}

function overGrpc(url: string): Connection {
  const client = new Client(new URL(url).host, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  return {
    send: (body) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(EXPORT, asIs, asIs, body, new Metadata(), (error) =>
          error ? reject(error) : resolve(),
        );
      }),
    close: () => client.close(),
  };
}

answerRequests(answer);
