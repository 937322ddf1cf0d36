import type { Entity } from '../model/entity.ts';
import { leanEntity } from '../model/lean-document.ts';
import type { Shared } from '../model/otlp/documents/stored-spans.ts';
import type { IndexedKeys } from '../model/otlp/to-xray/annotations.ts';
import { firstText } from '../model/otlp/to-xray/attributes.ts';
import { cleanName } from '../model/otlp/to-xray/name.ts';
import { type XrayResource, xrayResourceOf } from '../model/otlp/to-xray/resource.ts';
import { decodeResourceSpans, decodeScopeSpans } from '../model/otlp/wire/decode.ts';
import { encodeShared } from '../model/otlp/wire/stored-span.ts';
import { readEntity } from '../model/read-entity.ts';
import type { EntityId, TraceId } from '../model/trace-id.ts';
import { createRowBuffer, type RowBuffer, writeString, writtenBytes } from '../store/row-binary.ts';
import { collectAttributes, writeCollected } from '../store/write/attribute-strings.ts';
import { ec2Of } from '../store/write/rows.ts';

/** What the rows and documents of all spans of one resource and scope share, encoded once. */
export type SharedRows = Shared & {
  readonly encoded: Uint8Array;
  readonly indexed: IndexedKeys;
  readonly xray: XrayResource;
  /** Name of the segments of its spans; undefined if they name it themselves. */
  readonly service: string | undefined;
  /** The column `origin` of a segment. */
  readonly origin: string;
  /** Members of a segment for the roll-up. */
  readonly segment: Pick<Entity, 'origin' | 'resourceArn' | 'accountId' | 'fields'>;
  /** The columns from `resource_arn` to `account_id` of a segment. */
  readonly identity: Uint8Array;
  /** Indexed strings of the resource. */
  readonly attributes: Uint8Array;
  readonly attributeCount: number;
  /** The last run of rows that has these strings: see store/write/shared-texts.ts. */
  writtenIn: number;
  /** Spans of such a resource take the way over objects: of Lambda functions, and with very many attributes. */
  readonly isRare: boolean;
  /** By name of a span, for its last kind. */
  readonly labels: Map<string, SpanLabels>;
};

/** The first fields of a stored span, see model/otlp/wire/stored-span.ts. */
export type SpanLabels = {
  readonly kind: number;
  readonly encoded: Uint8Array;
  /** The end of the label of the service. */
  readonly kindAt: number;
};

const MAX_SHARED_ATTRIBUTES = 128;

/** By the bytes of both messages: clients repeat them in each request. */
const caches = new WeakMap<IndexedKeys, Map<string, SharedRows>>();
const MAX_CACHED = 500;
const MAX_CACHED_BYTES = 8 * 1024;

export function sharedRowsOf(resourceSpans: Buffer, scopeSpans: Buffer, indexed: IndexedKeys): SharedRows {
  if (resourceSpans.length + scopeSpans.length > MAX_CACHED_BYTES) return encode(resourceSpans, scopeSpans, indexed);
  const cache = caches.get(indexed) ?? new Map<string, SharedRows>();
  caches.set(indexed, cache);
  const key = `${resourceSpans.length} ${resourceSpans.toString('latin1')}${scopeSpans.toString('latin1')}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const shared = encode(resourceSpans, scopeSpans, indexed);
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, shared);
  return shared;
}

function encode(resourceSpans: Buffer, scopeSpans: Buffer, indexed: IndexedKeys): SharedRows {
  const { resource = {}, schemaUrl: resourceSchemaUrl } = decodeResourceSpans(resourceSpans);
  const { scope = {}, schemaUrl: scopeSchemaUrl } = decodeScopeSpans(scopeSpans);
  const xray = xrayResourceOf(resource);
  const entity = resourceEntity(xray);
  const { count, hasMore } = collectAttributes([entity]);
  const attributes = bytesOf(writeCollected);
  const functionName = firstText(xray.attributes, 'faas.name');
  return {
    resource,
    resourceSchemaUrl,
    scope,
    scopeSchemaUrl,
    encoded: encodeShared({ annotations: indexed, resourceSpans, scopeSpans }),
    indexed,
    xray,
    service: xray.serviceName === undefined ? undefined : cleanName(xray.serviceName),
    origin: entity.origin ?? '',
    segment: leanEntity(entity),
    identity: bytesOf((row) => {
      const { instanceId, availabilityZone } = ec2Of(entity);
      for (const text of [entity.resourceArn, instanceId, availabilityZone, entity.accountId])
        writeString(row, text ?? '');
    }),
    attributes,
    attributeCount: count,
    writtenIn: 0,
    isRare:
      functionName !== undefined ||
      xray.origin === 'AWS::Lambda::Function' ||
      hasMore ||
      count > MAX_SHARED_ATTRIBUTES ||
      indexed.size > 0,
    labels: new Map(),
  };
}

/** A segment with the resource and nothing else, as `spanToEntities` makes the one around a call. */
function resourceEntity({ origin, resourceArn, service, aws, metadata }: XrayResource) {
  const fields = {
    name: '',
    ...(origin !== undefined && { origin }),
    ...(resourceArn !== undefined && { resource_arn: resourceArn }),
    ...(service !== undefined && { service }),
    ...(aws !== undefined && { aws }),
    ...(Object.keys(metadata).length > 0 && { metadata: { default: metadata } }),
  };
  return readEntity(fields, { traceId: '' as TraceId, id: '' as EntityId, parentId: undefined, kind: 'segment' });
}

function bytesOf(write: (row: RowBuffer) => void): Uint8Array {
  const row = createRowBuffer(1024);
  write(row);
  return writtenBytes(row);
}
