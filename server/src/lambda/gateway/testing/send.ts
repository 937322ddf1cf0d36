import type { JsonObject } from '../../../model/json.ts';
import type { Gateway } from '../gateway.ts';
import type { GatewayRequest } from '../proxy-events.ts';
import type { StreamSink } from '../response-stream.ts';
import type { GatewayResponse } from '../responses.ts';

const NO_SINK: StreamSink = {
  head: () => {
    throw new Error('no stream is expected');
  },
  write: async () => {},
};

/** Sends requests to a gateway; the default is a plain GET of `/`. */
export function sender(gateway: Gateway) {
  return async (request: Partial<GatewayRequest>, sink = NO_SINK): Promise<GatewayResponse> => {
    const fullRequest = {
      method: 'GET',
      path: '/',
      query: '',
      rawHeaders: ['Host', 'localhost:3000', 'User-Agent', 'curl/8.5.0'],
      body: Buffer.alloc(0),
      sourceIp: '127.0.0.1',
      protocol: 'HTTP/1.1',
      scheme: 'http' as const,
      port: 3000,
      ...request,
    };
    return (await gateway.handle(fullRequest, sink)) as GatewayResponse;
  };
}

export function bodyOf(response: GatewayResponse): JsonObject {
  return JSON.parse(response.body.toString()) as JsonObject;
}
