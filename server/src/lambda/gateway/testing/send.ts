import type { JsonObject } from '../../../model/json.ts';
import type { GatewayResponse } from '../answers.ts';
import type { GatewayRequest } from '../events.ts';
import type { Gateway } from '../gateway.ts';
import type { StreamSink } from '../response-stream.ts';

const NO_SINK: StreamSink = {
  head: () => {
    throw new Error('nothing is streamed here');
  },
  write: async () => {},
};

/** Sends requests to a gateway; what is not said is a plain GET. */
export function sender(gateway: Gateway) {
  return async (request: Partial<GatewayRequest>, sink = NO_SINK): Promise<GatewayResponse> => {
    const whole = {
      method: 'GET',
      path: '/',
      query: '',
      rawHeaders: ['Host', 'localhost:3000', 'User-Agent', 'curl/8.5.0'],
      body: Buffer.alloc(0),
      sourceIp: '127.0.0.1',
      protocol: 'HTTP/1.1',
      ...request,
    };
    return (await gateway.handle(whole, sink)) as GatewayResponse;
  };
}

export function bodyOf(answer: GatewayResponse): JsonObject {
  return JSON.parse(answer.body.toString()) as JsonObject;
}
