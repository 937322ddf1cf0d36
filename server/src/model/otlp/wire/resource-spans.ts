import type { ResourceSpans, ScopeSpans, Span, SpanWithResource } from '../../otlp-messages.ts';

/** Groups spans by resource and scope into OTLP's messages. Groups are in the order of their first span. */
export function resourceSpansOf(spansWithResources: readonly SpanWithResource[]): readonly ResourceSpans[] {
  const resources = new Map<string, { readonly from: SpanWithResource; readonly scopes: Map<string, Scoped> }>();
  for (const one of spansWithResources) {
    const ofResource = getOrCreate(resources, [one.resource, one.resourceSchemaUrl], () => ({
      from: one,
      scopes: new Map<string, Scoped>(),
    }));
    const ofScope = getOrCreate(ofResource.scopes, [one.scope, one.scopeSchemaUrl], () => ({
      from: one,
      spans: [],
    }));
    ofScope.spans.push(one.span);
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
