import { type Context, type TextMapPropagator, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { AWSXRayIdGenerator } from '@opentelemetry/id-generator-aws-xray';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { OpenrayProcess } from '../../scripts/openray.ts';

export type Transport = 'http/protobuf' | 'http/json' | 'grpc';

/** A service that is instrumented with OpenTelemetry's SDK and sends to this server. */
export type OtelService = {
  readonly tracer: Tracer;
  readonly propagator: TextMapPropagator;
  /** Exports the ended spans; rejects when the server has not accepted them. */
  flush(): Promise<void>;
  stop(): Promise<void>;
};

export function otelService(
  name: string,
  server: Pick<OpenrayProcess, 'otlpHttpUrl' | 'otlpGrpcUrl'>,
  transport: Transport = 'http/protobuf',
): OtelService {
  const exporter = exporterFor(transport, server);
  const failures: unknown[] = [];
  const recordingExporter: SpanExporter = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) failures.push(result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': name })),
    idGenerator: new AWSXRayIdGenerator(),
    spanProcessors: [new BatchSpanProcessor(recordingExporter)],
  });
  return {
    tracer: provider.getTracer('test', '1.0'),
    propagator: new AWSXRayPropagator(),
    async flush() {
      await provider.forceFlush();
      if (failures.length > 0) throw failures[0];
    },
    stop: () => provider.shutdown(),
  };
}

function exporterFor(
  transport: Transport,
  { otlpHttpUrl, otlpGrpcUrl }: Pick<OpenrayProcess, 'otlpHttpUrl' | 'otlpGrpcUrl'>,
) {
  switch (transport) {
    case 'http/protobuf':
      return new ProtobufExporter({ url: `${otlpHttpUrl}/v1/traces`, compression: CompressionAlgorithm.GZIP });
    case 'http/json':
      return new JsonExporter({ url: `${otlpHttpUrl}/v1/traces` });
    case 'grpc':
      return new GrpcExporter({ url: otlpGrpcUrl as string });
  }
}

/** The id of the context's trace in X-Ray's format. */
export function xrayTraceId(context: Context): string {
  const id = trace.getSpanContext(context)?.traceId ?? '';
  return `1-${id.slice(0, 8)}-${id.slice(8)}`;
}
