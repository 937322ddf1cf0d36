import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { OpenrayProcess } from '../../scripts/openray.ts';
import { otelService, xrayTraceId } from './otel.ts';

/** The service `checkout`, instrumented with OpenTelemetry, which invokes functions of the same server. */
export type Checkout = {
  /** Sends one request; resolves with the function's response and the trace id when the spans are stored. */
  request(functionName: string, event: object): Promise<{ readonly traceId: string; readonly answer: unknown }>;
  stop(): Promise<void>;
};

export function startCheckout(server: Pick<OpenrayProcess, 'url' | 'otlpHttpUrl' | 'otlpGrpcUrl'>): Checkout {
  const { tracer, propagator, flush, stop } = otelService('checkout', server, 'grpc');
  const headersOf = (context: Context): Record<string, string> => {
    const headers: Record<string, string> = {};
    propagator.inject(context, headers, { set: (to, key, value) => Object.assign(to, { [key]: value }) });
    return headers;
  };
  return {
    async request(functionName, event) {
      const request = tracer.startSpan('POST /checkout', {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': 'POST', 'url.path': '/checkout', 'http.response.status_code': 200 },
      });
      const inside = trace.setSpan(ROOT_CONTEXT, request);
      const attributes = {
        'rpc.system': 'aws-api',
        'rpc.service': 'Lambda',
        'rpc.method': 'Invoke',
        'faas.invoked_name': functionName,
      };
      const call = tracer.startSpan('Lambda.Invoke', { kind: SpanKind.CLIENT, attributes }, inside);
      const response = await fetch(`${server.url}/2015-03-31/functions/${functionName}/invocations`, {
        method: 'POST',
        headers: headersOf(trace.setSpan(inside, call)),
        body: JSON.stringify(event),
      });
      const answer: unknown = await response.json();
      call.end();
      request.end();
      await flush();
      return { traceId: xrayTraceId(inside), answer };
    },
    stop,
  };
}
