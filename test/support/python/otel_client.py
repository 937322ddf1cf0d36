"""Sends one trace with OpenTelemetry's SDK for Python, over OTLP/HTTP, and prints its id."""

import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, format_trace_id


def divide(a: int, b: int) -> float:
    return a / b


provider = TracerProvider(resource=Resource.create({"service.name": "python-shop"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{sys.argv[1]}/v1/traces")))
tracer = provider.get_tracer("test")

try:
    with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER) as span:
        span.set_attribute("tenant", "acme")
        span.set_attribute("sizes", [1, 2])
        trace_id = format_trace_id(span.get_span_context().trace_id)
        with tracer.start_as_current_span("SELECT", kind=SpanKind.CLIENT) as call:
            call.set_attribute("db.system", "postgresql")
            call.set_attribute("db.statement", "SELECT 1")
        divide(1, 0)
except ZeroDivisionError:
    pass
provider.shutdown()
print(trace_id)
