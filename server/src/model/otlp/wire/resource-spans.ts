import type { ResourceSpans, ScopeSpans, Span, SpanWithResource } from '../types.ts';

/** Spans in OTLP's form: those that share a resource and a scope together, all in the order in which they come first. */
export function resourceSpansOf(places: readonly SpanWithResource[]): readonly ResourceSpans[] {
  const resources = new Map<string, { readonly from: SpanWithResource; readonly scopes: Map<string, Scoped> }>();
  for (const place of places) {
    const ofResource = getOrCreate(resources, [place.resource, place.resourceSchemaUrl], () => ({
      from: place,
      scopes: new Map<string, Scoped>(),
    }));
    const ofScope = getOrCreate(ofResource.scopes, [place.scope, place.scopeSchemaUrl], () => ({
      from: place,
      spans: [],
    }));
    ofScope.spans.push(place.span);
  }
  return Array.from(resources.values(), ({ from, scopes }) => ({
    resource: from.resource,
    scopeSpans: Array.from(scopes.values(), scopeSpansOf),
    schemaUrl: from.resourceSchemaUrl,
  }));
}

type Scoped = { readonly from: SpanWithResource; readonly spans: Span[] };

function scopeSpansOf({ from, spans }: Scoped): ScopeSpans {
  return { scope: from.scope, spans, schemaUrl: from.scopeSchemaUrl };
}

function getOrCreate<T>(groups: Map<string, T>, by: readonly unknown[], create: () => T): T {
  const key = JSON.stringify(by);
  const known = groups.get(key);
  if (known !== undefined) return known;
  const created = create();
  groups.set(key, created);
  return created;
}
