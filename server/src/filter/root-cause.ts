import { compareNumbers, isNumber } from '../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type {
  RootCause,
  RootCauseEntity,
  RootCauseException,
  RootCauseService,
  RootCauses,
} from '../model/root-cause.ts';
import type { RootCauseTerm } from './ast.ts';
import type { RootCauseKind } from './root-cause-kind.ts';
import { type FieldReader, listOfDefined } from './values.ts';

/** Whether `holds` is true for some service, entity or exception of the level that the term names. */
export function isOnRootCause(
  term: RootCauseTerm,
  rootCauses: RootCauses,
  holds: (readField: FieldReader) => boolean,
): boolean {
  return rootCausesOf(term.cause, rootCauses).some(({ services }) => {
    if (term.level === 'service') return someOf(services, serviceFacts, holds);
    const paths = services.map((service) => service.entityPath);
    if (term.level === 'entity') return paths.some((path) => someOf(path, entityFacts, holds));
    return paths.some((path) => path.some((entity) => someOf(entity.exceptions, exceptionFacts, holds)));
  });
}

function rootCausesOf(kind: RootCauseKind, rootCauses: RootCauses): readonly RootCause[] {
  return kind === 'responsetime' ? rootCauses.responseTime : rootCauses[kind];
}

type Facts = Readonly<Record<string, JsonValue | undefined>>;

function someOf<T>(
  list: readonly T[],
  factsOf: (item: T) => Facts,
  holds: (readField: FieldReader) => boolean,
): boolean {
  return list.some((item, index) => {
    const facts: Facts = { ...factsOf(item), index, first: index === 0, last: index === list.length - 1 };
    return holds((field) => (field.kind === 'keyword' ? listOfDefined(facts[field.keyword]) : []));
  });
}

function serviceFacts({ name, type, accountId, isInferred }: RootCauseService): Facts {
  return { name, type, 'account.id': accountId, inferred: isInferred };
}

function entityFacts({ name, isRemote, coverage }: RootCauseEntity): Facts {
  return { name, remote: isRemote, coverage };
}

function exceptionFacts({ name, message }: RootCauseException): Facts {
  return { name, message };
}

/**
 * Whether the root causes of some kind contain `wanted`. An object contains another with a part of its members. A list
 * contains another with a part of its elements in the same order.
 */
export function matchesRootCauses(wanted: readonly JsonValue[], rootCauses: RootCauses): boolean {
  const { fault, error, responseTime } = rootCauses;
  return [fault, error, responseTime].some((list) => contains(list.map(rootCauseJson), wanted));
}

function contains(actual: JsonValue | undefined, wanted: JsonValue): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual)) return false;
    const rest: Iterator<JsonValue> = actual.values();
    return wanted.every((element: JsonValue) => skipTo(rest, element));
  }
  if (isJsonObject(wanted)) {
    if (!isJsonObject(actual)) return false;
    return Object.keys(wanted).every((key) => Object.hasOwn(actual, key) && contains(actual[key], wanted[key] ?? null));
  }
  return isNumber(wanted) ? isNumber(actual) && compareNumbers(actual, wanted) === 0 : actual === wanted;
}

function skipTo(rest: Iterator<JsonValue>, wanted: JsonValue): boolean {
  for (let next = rest.next(); !next.done; next = rest.next()) {
    if (contains(next.value, wanted)) return true;
  }
  return false;
}

/** A root cause as GetTraceSummaries returns it. */
function rootCauseJson({ services, isClientImpacting }: RootCause): JsonObject {
  return { Services: services.map(serviceJson), ClientImpacting: isClientImpacting };
}

function serviceJson({ name, type, accountId, isInferred, entityPath }: RootCauseService): JsonObject {
  return {
    Name: name,
    Names: [name],
    Type: type ?? '',
    AccountId: accountId ?? null,
    Inferred: isInferred,
    EntityPath: entityPath.map(entityJson),
  };
}

function entityJson({ name, isRemote, exceptions, coverage }: RootCauseEntity): JsonObject {
  return {
    Name: name,
    Remote: isRemote,
    ...(coverage === undefined
      ? { Exceptions: exceptions.map((exception) => ({ Name: exception.name, Message: exception.message })) }
      : { Coverage: coverage }),
  };
}
