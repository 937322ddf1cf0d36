import type { Span } from '../types.ts';
import { type Attributes, text } from './attributes.ts';
import { messagingService } from './call-namespace.ts';
import type { ResourceView } from './resource.ts';

const MAX_LENGTH = 200;
const CLEAN = /^[\w \-.:/%&#=+@]{1,200}$/;
const FORBIDDEN = /[^\p{L}\p{N} _.:/%&#=+\-@]/gu;

/** What X-Ray takes as a name: other characters go, 200 stay, and there is always something left. */
export function cleanName(name: string): string {
  if (CLEAN.test(name)) return name;
  const kept = [...name.replace(FORBIDDEN, '')].slice(0, MAX_LENGTH).join('');
  return kept === '' ? 'span' : kept;
}

/** The service that reports. */
export function segmentName(span: Span, attributes: Attributes, resource: ResourceView): string {
  return cleanName(
    text(attributes, 'aws.local.service') ??
      resource.serviceName ??
      text(attributes, 'faas.name') ??
      text(resource.attributes, 'faas.name') ??
      span.name ??
      '',
  );
}

/** What is called, as far as the caller says; the name of the span for work inside the process. */
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
  const named =
    text(attributes, 'aws.remote.service')?.replace(/^(AWS\.SDK\.|AWS::)/, '') ??
    text(attributes, 'aws.service', 'rpc.service') ??
    partBefore(text(attributes, 'rpc.method'), '/');
  return named ?? messagingService(attributes) ?? partBefore(spanName, '.');
}

function remoteName(attributes: Attributes): string | undefined {
  return (
    text(attributes, 'aws.remote.service', 'peer.service', 'service.peer.name') ??
    databaseName(attributes) ??
    text(attributes, 'messaging.destination.name', 'messaging.destination') ??
    text(attributes, 'rpc.service') ??
    partBefore(text(attributes, 'rpc.method'), '/') ??
    withoutPort(text(attributes, 'http.host')) ??
    text(attributes, 'server.address', 'net.peer.name') ??
    hostOf(text(attributes, 'url.full', 'http.url')) ??
    text(attributes, 'network.peer.address')
  );
}

/** `name@host`, one of them where the other is not known, else the kind of database. */
function databaseName(attributes: Attributes): string | undefined {
  const system = text(attributes, 'db.system.name', 'db.system');
  const name = text(attributes, 'db.namespace', 'db.name');
  if (system === undefined && name === undefined) return undefined;
  const host =
    text(attributes, 'server.address') ??
    hostOf(text(attributes, 'db.connection_string')?.replace(/^jdbc:/, '')) ??
    text(attributes, 'net.peer.name');
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
