import type { Span } from '../../otlp-messages.ts';
import { type Attributes, firstText } from './attributes.ts';
import { isSdkCall, messagingService } from './call-namespace.ts';
import { databaseSystem, isSqlSystem } from './database.ts';
import type { XrayResource } from './resource.ts';

const MAX_LENGTH = 200;
const CLEAN = /^[\w \-.:/%&#=+@]{1,200}$/;
const FORBIDDEN = /[^\p{L}\p{N} _.:/%&#=+\-@]/gu;

/** A name that X-Ray accepts: without forbidden characters, at most 200 characters, never empty. */
export function cleanName(name: string): string {
  if (CLEAN.test(name)) return name;
  const kept = [...name.replace(FORBIDDEN, '')].slice(0, MAX_LENGTH).join('');
  return kept === '' ? 'span' : kept;
}

/** The name of the reporting service. */
export function segmentName(span: Span, attributes: Attributes, resource: XrayResource): string {
  return cleanName(
    firstText(attributes, 'aws.local.service') ??
      resource.serviceName ??
      firstText(attributes, 'faas.name') ??
      firstText(resource.attributes, 'faas.name') ??
      span.name ??
      '',
  );
}

/** The name of the called service, as its caller knows it; the span's name for work inside the process. */
export function subsegmentName(span: Span, attributes: Attributes, namespace: 'aws' | 'remote' | undefined): string {
  const spanName = span.name ?? '';
  switch (namespace) {
    case 'aws':
      return cleanName(awsServiceName(spanName, attributes) ?? remoteName(attributes) ?? spanName);
    case 'remote':
      return cleanName(remoteName(attributes) ?? spanName);
    case undefined:
      return cleanName(spanName);
  }
}

function awsServiceName(spanName: string, attributes: Attributes): string | undefined {
  // In a call of an SDK, AWS's distribution may name the called function or a group of services as the remote service.
  const ofSdk = isSdkCall(attributes) ? firstText(attributes, 'aws.service', 'rpc.service') : undefined;
  const named =
    ofSdk ??
    firstText(attributes, 'aws.remote.service', 'aws.service', 'rpc.service') ??
    partBefore(firstText(attributes, 'rpc.method'), '/');
  return named?.replace(/^(AWS\.SDK\.|AWS::)/, '') ?? messagingService(attributes) ?? partBefore(spanName, '.');
}

function remoteName(attributes: Attributes): string | undefined {
  return (
    firstText(attributes, 'aws.remote.service', 'peer.service', 'service.peer.name') ??
    databaseName(attributes) ??
    firstText(attributes, 'messaging.destination.name', 'messaging.destination') ??
    firstText(attributes, 'rpc.service') ??
    partBefore(firstText(attributes, 'rpc.method'), '/') ??
    withoutPort(firstText(attributes, 'http.host')) ??
    firstText(attributes, 'server.address', 'net.peer.name') ??
    hostOf(firstText(attributes, 'url.full', 'http.url')) ??
    firstText(attributes, 'network.peer.address')
  );
}

/**
 * `name@host`, or only the known part, else the kind of database. A database without names has its kind as name:
 * `redis@host`, where SQL has the name of the database.
 */
function databaseName(attributes: Attributes): string | undefined {
  const system = databaseSystem(attributes);
  const namespace = firstText(attributes, 'db.namespace', 'db.name');
  if (system === undefined && namespace === undefined) return undefined;
  const isSql = system === undefined || isSqlSystem(system);
  const isNumber = namespace !== undefined && !isSql && /^\d+$/.test(namespace);
  const name = (isNumber ? undefined : namespace) ?? (isSql ? undefined : system);
  const host =
    firstText(attributes, 'server.address') ??
    hostOf(firstText(attributes, 'db.connection_string')?.replace(/^jdbc:/, '')) ??
    firstText(attributes, 'net.peer.name');
  if (name !== undefined && host !== undefined) return `${name}@${host}`;
  return name ?? host ?? system;
}

function partBefore(whole: string | undefined, separator: string): string | undefined {
  const at = whole?.indexOf(separator) ?? -1;
  return at > 0 ? whole?.slice(0, at) : undefined;
}

function withoutPort(host: string | undefined): string | undefined {
  return host?.replace(/:\d+$/, '');
}

function hostOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  return new URL(url).hostname || undefined;
}
