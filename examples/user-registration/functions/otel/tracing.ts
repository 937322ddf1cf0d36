import {
  type Context as OtelContext,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Context } from 'aws-lambda';

const provider = new NodeTracerProvider({
  resource: defaultResource().merge(
    resourceFromAttributes({
      'service.name': process.env.OTEL_SERVICE_NAME ?? 'otel-user-registration',
      'cloud.provider': 'aws',
      'cloud.platform': 'aws_lambda',
      'cloud.region': process.env.AWS_REGION ?? '',
      'faas.name': process.env.AWS_LAMBDA_FUNCTION_NAME ?? '',
      'faas.version': process.env.AWS_LAMBDA_FUNCTION_VERSION ?? '',
    }),
  ),
  // Sends to OTEL_EXPORTER_OTLP_ENDPOINT.
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register({ propagator: new AWSXRayPropagator() });
// Traces `fetch` by the events that Node publishes about it. That works in a bundle, where modules cannot be patched.
registerInstrumentations({ instrumentations: [new UndiciInstrumentation()] });

const tracer = trace.getTracer('user-registration');
let isColdStart = true;

/** Runs the handler in a span that continues Lambda's trace. Sends all spans before Lambda freezes the function. */
export function tracedHandler<Event, Result>(
  handler: (event: Event, lambda: Context) => Promise<Result>,
): (event: Event, lambda: Context) => Promise<Result> {
  return async (event, lambda) => {
    const attributes = { 'faas.invocation_id': lambda.awsRequestId, 'faas.coldstart': isColdStart };
    isColdStart = false;
    try {
      const options = { kind: SpanKind.SERVER, attributes };
      return await tracer.startActiveSpan(lambda.functionName, options, lambdaContext(), (span) =>
        runInSpan(span, () => handler(event, lambda)),
      );
    } finally {
      await provider.forceFlush();
    }
  };
}

/** Runs a function in a span of its own. */
export function traced<Result>(name: string, run: (span: Span) => Promise<Result>): Promise<Result> {
  return tracer.startActiveSpan(name, (span) => runInSpan(span, () => run(span)));
}

/** Sets attributes of the span, which X-Ray indexes as annotations. */
export function annotate(span: Span, attributes: Readonly<Record<string, string | number | boolean>>): void {
  span.setAttributes({ ...attributes, 'aws.xray.annotations': Object.keys(attributes) });
}

async function runInSpan<Result>(span: Span, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    span.recordException(error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    throw error;
  } finally {
    span.end();
  }
}

/** Lambda sets a variable to the trace header of each invocation. */
function lambdaContext(): OtelContext {
  const carrier = { 'x-amzn-trace-id': process.env._X_AMZN_TRACE_ID ?? '' };
  return propagation.extract(ROOT_CONTEXT, carrier, {
    keys: (from) => Object.keys(from),
    get: (from, key) => from[key.toLowerCase() as keyof typeof from],
  });
}
