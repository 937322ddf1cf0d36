import { isJsonObject, type JsonObject, type JsonValue, objectOf } from '../../model/json.ts';
import { readPart } from './broken-parts.ts';
import { isIntrinsic, mergeGlobals } from './globals.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import {
  FLAG,
  JSON_OBJECT,
  METHOD,
  type MemberRule,
  type MemberRules,
  OBJECT,
  oneOf,
  POLLING,
  required,
  shown,
  TEXT,
  validMembers,
  wholeNumber,
} from './member-rules.ts';
import type { RawTemplate, Resource } from './raw-template.ts';

/** An event of a SAM function. Intrinsic functions are evaluated, and the members that openray reads are valid. */
export type FunctionEvent = {
  readonly functionId: string;
  readonly id: string;
  /** Where in the template, for warnings: `Fn.Events.Upload`. */
  readonly where: string;
  readonly type: string;
  readonly properties: JsonObject;
};

const PATH: MemberRule = {
  expects: 'a path such as /users/{id}',
  isValid: (value) => typeof value === 'string' && value.startsWith('/'),
};
const HTTP_PATH: MemberRule = { ...PATH, isValid: (value) => value === '$default' || PATH.isValid(value) };
const STATE = oneOf('ENABLED', 'DISABLED');
/** Rules and the scheduler accept one with CloudTrail too. */
const RULE_STATE = oneOf('ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS');

const RULE: MemberRules = {
  Pattern: required(JSON_OBJECT),
  EventBusName: TEXT,
  Input: TEXT,
  InputPath: TEXT,
  InputTransformer: OBJECT,
  State: RULE_STATE,
};

/** By type: the members that openray reads. Events of another type never start a function. */
const EVENT_RULES: Readonly<Record<string, MemberRules>> = {
  Api: {
    Path: required(PATH),
    Method: required(METHOD),
    RestApiId: TEXT,
    Auth: OBJECT,
    ResponseTransferMode: oneOf('BUFFERED', 'STREAM'),
    TimeoutInMillis: wholeNumber(50, 900_000),
  },
  HttpApi: {
    Path: HTTP_PATH,
    Method: METHOD,
    ApiId: TEXT,
    Auth: OBJECT,
    PayloadFormatVersion: oneOf('1.0', '2.0', '1', '2'),
    TimeoutInMillis: wholeNumber(50, 30_000),
  },
  SQS: {
    Queue: required(TEXT),
    ...POLLING,
  },
  SNS: {
    Topic: required(TEXT),
    FilterPolicy: JSON_OBJECT,
    FilterPolicyScope: oneOf('MessageAttributes', 'MessageBody'),
    SqsSubscription: {
      expects: 'true, false or an object',
      isValid: (value) => isJsonObject(value) || FLAG.isValid(value),
    },
  },
  EventBridgeRule: RULE,
  CloudWatchEvent: { ...RULE, Enabled: FLAG },
  Schedule: { Schedule: required(TEXT), Input: TEXT, Enabled: FLAG, State: STATE, Name: TEXT },
  ScheduleV2: {
    ScheduleExpression: required(TEXT),
    ScheduleExpressionTimezone: TEXT,
    Input: TEXT,
    State: STATE,
    Name: TEXT,
  },
};

/** Events of all SAM functions. A malformed event is left out, and a malformed member too: each with one warning. */
export function readFunctionEvents(
  functionIds: readonly string[],
  raw: RawTemplate,
  scope: Scope,
): readonly FunctionEvent[] {
  return functionIds.flatMap((functionId) => {
    const { type, properties } = raw.resources[functionId] as Resource;
    if (type !== 'AWS::Serverless::Function') return [];
    const { Events: events } = mergeGlobals(objectOf(raw.globals.Function), properties);
    const where = `${functionId}.Events`;
    const map = readPart(
      () => (isIntrinsic(events ?? {}) ? resolveValue(events, { ...scope, location: where }) : events),
      undefined,
      (reason) => scope.warn(`${reason}; the function has no events.`),
    );
    if (map !== undefined && !isJsonObject(map)) {
      scope.warn(`${where} is ${shown(map)}, not a map of events; the function has none.`);
    }
    return Object.entries(objectOf(map)).flatMap(([id, given]) => readEvent({ functionId, id, given }, scope));
  });
}

function readEvent(
  { functionId, id, given }: { readonly functionId: string; readonly id: string; readonly given: JsonValue },
  scope: Scope,
): readonly FunctionEvent[] {
  const where = `${functionId}.Events.${id}`;
  let isBroken = false;
  const resolved = (value: JsonValue | undefined, location: string) =>
    readPart(
      () => resolveValue(value, { ...scope, location }),
      undefined,
      (reason) => {
        isBroken = true;
        scope.warn(`${reason}; ${where} is left out.`);
      },
    );
  const event = isIntrinsic(given) ? resolved(given, where) : given;
  if (isBroken || event === undefined) return [];
  if (!isJsonObject(event)) {
    scope.warn(`${where} is ${shown(event)}, not an object with a Type; it is left out.`);
    return [];
  }
  const type = resolved(event.Type, `${where}.Type`);
  if (isBroken) return [];
  if (typeof type !== 'string' || type === '') {
    scope.warn(`${where} ${type === undefined ? 'has no Type' : `has the Type ${shown(type)}`}; it is left out.`);
    return [];
  }
  const rules = Object.hasOwn(EVENT_RULES, type) ? EVENT_RULES[type] : undefined;
  if (rules === undefined) {
    scope.warn(
      `${where} has the Type ${shown(type)}, which openray does not support; the event never starts the function.`,
    );
    return [];
  }
  const members = isIntrinsic(event.Properties ?? {}) ? resolved(event.Properties, where) : event.Properties;
  if (members !== undefined && !isJsonObject(members)) {
    scope.warn(`${where}.Properties is ${shown(members)}, not an object; ${where} is left out.`);
    return [];
  }
  const entries = Object.entries(objectOf(members)).flatMap(
    ([name, value]): readonly (readonly [string, JsonValue])[] => {
      const member = isBroken ? undefined : resolved(value, `${where}.${name}`);
      return member === undefined ? [] : [[name, member]];
    },
  );
  if (isBroken) return [];
  const properties = validMembers(where, Object.fromEntries(entries), rules, scope.warn);
  return properties === undefined ? [] : [{ functionId, id, where, type, properties }];
}
