import { durationUsOf, type Entity } from '../model/entity.ts';
import type { GraphNode } from '../model/graph.ts';
import { isJsonObject, type JsonObject, type JsonValue, readObject, readText } from '../model/json.ts';
import type { Field } from './ast.ts';
import type { Keyword } from './keywords.ts';
import type { FilterSubject } from './subject.ts';

/** The values of a field of one subject; empty if there are none. A value is never null or an array. */
export type FieldReader = (field: Field) => readonly JsonValue[];

/** `own` has outcome, time and HTTP of the request; all other values may be recorded in any of `entities`. */
type Request = { readonly own: Entity | undefined; readonly entities: readonly Entity[] };

/** Fields of the whole trace. Outcome, time and HTTP are those of its root segment. */
export function traceFieldReader(subject: FilterSubject): FieldReader {
  const { trace, summary } = subject;
  const request = { own: trace.root, entities: [...trace.entities.values()] };
  return (field) => {
    if (field.kind === 'keyword' && field.keyword === 'duration') return seconds(summary.durationUs);
    if (field.kind === 'keyword' && field.keyword === 'inferred')
      return [subject.graph.nodes.some((node) => node.isInferred)];
    return requestValues(field, request, subject);
  };
}

/** Fields of one request at a service. `own` is the service's segment, or the call to it if it sent none. */
export function serviceFieldReader(subject: FilterSubject, node: GraphNode, own: Entity): FieldReader {
  return (field) => {
    switch (field.kind === 'keyword' ? field.keyword : undefined) {
      case 'name':
        return [node.service.name];
      case 'type':
        return listOfDefined(node.service.type);
      case 'account.id':
        return listOfDefined(node.service.accountId);
      case 'root':
        return [node.isRoot];
      case 'inferred':
        return [node.isInferred];
    }
    return requestValues(field, { own, entities: node.entities }, subject);
  };
}

/** Fields of one call from a service to another, as its caller saw it. */
export function edgeFieldReader(
  subject: FilterSubject,
  { from, to, call }: { readonly from: GraphNode; readonly to: GraphNode; readonly call: Entity },
): FieldReader {
  return (field) => {
    if (field.kind === 'annotation' && field.end !== undefined) {
      return annotationValues(field.key, (field.end === 'source' ? from : to).entities);
    }
    return requestValues(field, { own: call, entities: [call] }, subject);
  };
}

function requestValues(field: Field, { own, entities }: Request, subject: FilterSubject): readonly JsonValue[] {
  switch (field.kind) {
    case 'keyword':
      return keywordValues(field.keyword, { own, entities }, subject);
    case 'annotation':
      return annotationValues(field.key, entities);
    case 'metadata':
      return entities.flatMap(({ metadata }) => valuesAt(metadata, field.path));
    case 'segment':
      return entities.flatMap(({ fields }) => valuesAt(fields, field.path));
  }
}

function keywordValues(keyword: Keyword, { own, entities }: Request, subject: FilterSubject): readonly JsonValue[] {
  switch (keyword) {
    case 'ok':
      return own === undefined ? [] : [!own.isFault && !own.isError && !own.isThrottle];
    case 'error':
      return listOfDefined(own?.isError);
    case 'fault':
      return listOfDefined(own?.isFault);
    case 'throttle':
      return listOfDefined(own?.isThrottle);
    case 'responsetime':
    case 'duration':
      return seconds(own && durationUsOf(own));
    case 'http.status':
      return listOfDefined(own?.http?.status);
    case 'http.url':
      return listOfDefined(own?.http?.url);
    case 'http.method':
      return listOfDefined(own?.http?.method);
    case 'http.useragent':
      return listOfDefined(own?.http?.userAgent);
    case 'http.clientip':
      return listOfDefined(own?.http?.clientIp);
    case 'partial':
      return [subject.summary.isPartial];
    case 'user':
      return entities.flatMap(({ user }) => listOfDefined(user));
    case 'resource.arn':
      return entities.flatMap(({ resourceArn }) => listOfDefined(resourceArn));
    case 'account.id':
      return entities.flatMap(({ accountId }) => listOfDefined(accountId));
    case 'availabilityzone':
      return entities.flatMap((entity) => listOfDefined(readText(ec2Of(entity)?.availability_zone)));
    case 'instance.id':
      return entities.flatMap((entity) => listOfDefined(readText(ec2Of(entity)?.instance_id)));
    // Only services and root causes have these; the parser refuses them elsewhere.
    case 'inferred':
    case 'root':
    case 'name':
    case 'type':
    case 'message':
    case 'remote':
    case 'coverage':
    case 'first':
    case 'last':
    case 'index':
      return [];
  }
}

function ec2Of({ fields }: Entity): JsonObject | undefined {
  return readObject(readObject(fields.aws)?.ec2);
}

function annotationValues(key: string, entities: readonly Entity[]): readonly JsonValue[] {
  return entities.flatMap(({ annotations }) =>
    Object.hasOwn(annotations, key) ? listOfDefined(annotations[key]) : [],
  );
}

/** The values at `path`. Each element of an array on the path or at its end is a value of its own. */
function valuesAt(value: JsonValue | undefined, path: readonly string[]): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((element: JsonValue) => valuesAt(element, path));
  const [step, ...rest] = path;
  if (step === undefined) return [value];
  return isJsonObject(value) && Object.hasOwn(value, step) ? valuesAt(value[step], rest) : [];
}

export function listOfDefined(value: JsonValue | undefined): readonly JsonValue[] {
  return value === undefined ? [] : [value];
}

function seconds(us: number | undefined): readonly number[] {
  return us === undefined ? [] : [us / 1_000_000];
}
