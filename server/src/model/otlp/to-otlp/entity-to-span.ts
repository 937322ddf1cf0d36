import type { Entity } from '../../entity.ts';
import { printJson } from '../../exact-json.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { isJsonObject, readObject, readText } from '../../json.ts';
import { FLAG, KIND, type Span, type SpanStatus, type SpanWithResource, STATUS } from '../../otlp-messages.ts';
import { usToNanos } from '../nanos.ts';
import { ROUND_TRIP_NAMESPACE } from '../round-trip-keys.ts';
import { type AttributeList, newAttributes } from './attribute-list.ts';
import { eventsOf, exceptionsOf, linksOf } from './events.ts';
import { resourceOf } from './resource.ts';

/** An X-Ray entity with the fields of its segment, as the translation needs them. */
export type EntityWithSegment = Pick<
  Entity,
  'traceId' | 'id' | 'parentId' | 'kind' | 'startUs' | 'endUs' | 'fields'
> & {
  /** Fields of its segment; its own fields if the segment was not received. */
  readonly segment: JsonObject;
  /** The document was made from a span: its metadata of the namespace `default` are attributes. */
  readonly isFromSpan: boolean;
};

/**
 * Translates a segment or subsegment to a span in OpenTelemetry's new conventions. The span lacks data for which they
 * have no attribute: `entitiesToSpans` adds it.
 */
export function entityToPlainSpan(entity: EntityWithSegment): SpanWithResource {
  const { fields, kind, startUs, endUs, segment, isFromSpan } = entity;
  const attributes = newAttributes();
  const namespace = kind === 'subsegment' ? readText(fields.namespace) : undefined;
  const isCall = namespace === 'aws' || namespace === 'remote';
  addHttp(attributes, readObject(fields.http), isCall);
  addAws(attributes, readObject(fields.aws), namespace === 'aws' ? readText(fields.name) : undefined);
  addSql(attributes, readObject(fields.sql));
  attributes.add('enduser.id', readText(fields.user));
  attributes.add('error.type', errorTypeOf(fields, isCall));
  attributes.add('aws.xray.traced', readBoolean(fields.traced));
  attributes.add('aws.xray.inprogress', fields.in_progress === true ? true : undefined);
  attributes.add('aws.xray.resource_arn', readText(fields.resource_arn));
  addAnnotationsAndMetadata(attributes, fields, isFromSpan);
  const span: Span = {
    traceId: entity.traceId,
    spanId: entity.id,
    parentSpanId: entity.parentId,
    flags: flagsOf(entity),
    name: readText(fields.name),
    kind: kind === 'segment' ? KIND.server : isCall ? KIND.client : KIND.internal,
    startTimeUnixNano: startUs === 0 ? undefined : usToNanos(startUs),
    endTimeUnixNano: endUs === undefined || endUs === 0 ? undefined : usToNanos(endUs),
    attributes: nonEmpty(attributes.list()),
    events: nonEmpty(eventsOf(fields, segment, endUs)),
    links: nonEmpty(linksOf(fields)),
    status: statusOf(fields, kind, isCall),
  };
  return {
    resource: resourceOf(segment, isFromSpan),
    resourceSchemaUrl: undefined,
    scope: {},
    scopeSchemaUrl: undefined,
    span,
  };
}

function flagsOf({ kind, parentId }: EntityWithSegment): number {
  const isRemote = kind === 'segment' && parentId !== undefined;
  return FLAG.sampled | FLAG.isRemoteKnown | (isRemote ? FLAG.isRemote : 0);
}

function addHttp(attributes: AttributeList, http: JsonObject | undefined, isCall: boolean): void {
  const request = readObject(http?.request);
  const response = readObject(http?.response);
  attributes.add('http.request.method', readText(request?.method));
  addUrl(attributes, readText(request?.url), isCall);
  attributes.add('user_agent.original', readText(request?.user_agent));
  attributes.add('client.address', readText(request?.client_ip));
  attributes.add('aws.xray.x_forwarded_for', readBoolean(request?.x_forwarded_for));
  attributes.add('http.response.status_code', readInteger(response?.status));
  attributes.add('http.response.body.size', readInteger(response?.content_length));
}

/** A client span has the whole URL, a server span its parts. */
function addUrl(attributes: AttributeList, url: string | undefined, isCall: boolean): void {
  if (url === undefined) return;
  if (isCall) {
    attributes.add('url.full', url);
    return;
  }
  if (!/^\w+:\/\//.test(url) || !URL.canParse(url)) {
    const [path, query] = split(url, '?');
    attributes.add('url.path', path);
    attributes.add('url.query', query);
    return;
  }
  const { protocol, hostname, port, pathname, search } = new URL(url);
  attributes.add('url.scheme', protocol.slice(0, -1));
  attributes.add('server.address', hostname);
  attributes.add('server.port', port === '' ? undefined : Number(port));
  attributes.add('url.path', pathname);
  attributes.add('url.query', search === '' ? undefined : search.slice(1));
}

function addAws(attributes: AttributeList, aws: JsonObject | undefined, service: string | undefined): void {
  if (service !== undefined) {
    attributes.add('rpc.system', 'aws-api');
    attributes.add('rpc.service', service);
    attributes.add('rpc.method', readText(aws?.operation));
  }
  if (aws === undefined) return;
  attributes.add('aws.operation', readText(aws.operation));
  attributes.add('aws.account_id', readText(aws.account_id));
  if (service !== undefined) attributes.add('cloud.region', readText(aws.region));
  attributes.add('aws.region', readText(aws.region));
  attributes.add('aws.request_id', readText(aws.request_id));
  attributes.add('aws.extended_request_id', readText(aws.id_2));
  attributes.add('aws.xray.retries', readInteger(aws.retries));
  attributes.add('aws.sqs.queue.url', readText(aws.queue_url));
  attributes.add('aws.dynamodb.table_names', tablesOf(aws));
  attributes.add('aws.s3.bucket', readText(aws.bucket_name));
  attributes.add('aws.s3.key', readText(aws.key));
  attributes.add('aws.sns.topic.arn', readText(aws.topic_arn));
  attributes.add('faas.invoked_name', readText(aws.function_name));
  attributes.add('aws.kinesis.stream_name', readText(aws.stream_name));
  attributes.add('aws.step_functions.state_machine.arn', readText(aws.state_machine_arn));
}

function tablesOf({ table_name: one, table_names: several }: JsonObject): readonly string[] | undefined {
  if (typeof one === 'string' && one !== '') return [one];
  if (!Array.isArray(several)) return undefined;
  const names = several.filter((name) => typeof name === 'string');
  return names.length > 1 ? names : undefined;
}

const SQL_URL = /^([\w.+-]+):\/\/([^/:?#]+)(?::(\d+))?(?:\/([^?#]*))?$/;

function addSql(attributes: AttributeList, sql: JsonObject | undefined): void {
  if (sql === undefined) return;
  const [, system, host, port, database] = SQL_URL.exec(readText(sql.url) ?? '') ?? [];
  attributes.add('db.system.name', readText(sql.database_type)?.toLowerCase() ?? system);
  attributes.add('server.address', host);
  attributes.add('server.port', port === undefined ? undefined : Number(port));
  attributes.add('db.namespace', database === '' ? undefined : database);
  attributes.add('db.connection_string', readText(sql.connection_string));
  attributes.add('db.user', readText(sql.user));
  attributes.add('db.query.text', readText(sql.sanitized_query));
}

/** Annotations as attributes, with the list of their keys; each namespace of metadata as one JSON text. */
function addAnnotationsAndMetadata(attributes: AttributeList, fields: JsonObject, isFromSpan: boolean): void {
  const annotations = Object.entries(readObject(fields.annotations) ?? {}).filter(([key]) => !attributes.has(key));
  for (const [key, value] of annotations) if (!isJsonObject(value) && value !== null) attributes.add(key, value);
  if (annotations.length > 0)
    attributes.add(
      'aws.xray.annotations',
      annotations.map(([key]) => key),
    );
  for (const [namespace, members] of Object.entries(readObject(fields.metadata) ?? {})) {
    if (namespace === ROUND_TRIP_NAMESPACE) continue;
    if (isFromSpan && namespace === 'default' && isJsonObject(members)) {
      for (const [key, value] of Object.entries(members)) {
        if (!key.startsWith('otel.resource.')) attributes.add(key, value);
      }
    } else if (isJsonObject(members)) {
      attributes.add(`aws.xray.metadata.${namespace}`, printJson(members));
    }
  }
}

function statusOf(fields: JsonObject, kind: Entity['kind'], isCall: boolean): SpanStatus | undefined {
  const status = readInteger(readObject(readObject(fields.http)?.response)?.status) ?? 0;
  const isClientError = fields.error === true || fields.throttle === true;
  const isServerRefusal = kind === 'segment' && status >= 400 && status < 500;
  const exceptions = exceptionsOf(fields);
  const isFailed =
    fields.fault === true ||
    (isClientError && !isServerRefusal) ||
    status >= 500 ||
    (isCall && status >= 400) ||
    exceptions.length > 0;
  if (!isFailed) return undefined;
  return { message: readText(exceptions[0]?.message), code: STATUS.error };
}

function errorTypeOf(fields: JsonObject, isCall: boolean): string | undefined {
  const status = readInteger(readObject(readObject(fields.http)?.response)?.status) ?? 0;
  if (status >= 500 || (isCall && status >= 400)) return String(status);
  return readText(exceptionsOf(fields)[0]?.type);
}

function readBoolean(value: JsonValue | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function readInteger(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0) ? value : undefined;
}

function split(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}
