import type { JsonObject } from '../../model/json.ts';
import { objectOf } from '../../model/json.ts';
import { readPart } from './broken-parts.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import {
  FLAG,
  JSON_OBJECT,
  LIST,
  type MemberRules,
  OBJECT,
  oneOf,
  POLLING,
  required,
  TEXT,
  validMembers,
  wholeNumber,
} from './member-rules.ts';
import type { RawTemplate } from './raw-template.ts';

/** A queue, a topic, a rule, a schedule or what connects one with its targets. Intrinsic functions are evaluated. */
export type ServiceResource = {
  readonly id: string;
  readonly type: string;
  readonly properties: JsonObject;
  /** Values of `GetAtt`. */
  readonly attributes: Readonly<Record<string, string>>;
};

export const QUEUE = 'AWS::SQS::Queue';
export const TOPIC = 'AWS::SNS::Topic';

const SUBSCRIPTION: MemberRules = {
  FilterPolicy: JSON_OBJECT,
  FilterPolicyScope: oneOf('MessageAttributes', 'MessageBody'),
  RawMessageDelivery: FLAG,
};

/** By type: the members that openray reads. */
const RESOURCE_RULES: Readonly<Record<string, MemberRules>> = {
  [QUEUE]: {
    VisibilityTimeout: wholeNumber(0, 43_200),
    DelaySeconds: wholeNumber(0, 900),
    FifoQueue: FLAG,
    ContentBasedDeduplication: FLAG,
    RedrivePolicy: JSON_OBJECT,
  },
  [TOPIC]: { Subscription: LIST },
  'AWS::SNS::Subscription': { TopicArn: required(TEXT), Endpoint: required(TEXT), ...SUBSCRIPTION },
  'AWS::Events::Rule': {
    EventPattern: JSON_OBJECT,
    ScheduleExpression: TEXT,
    EventBusName: TEXT,
    State: oneOf('ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'),
    Targets: LIST,
  },
  'AWS::Lambda::EventSourceMapping': {
    FunctionName: required(TEXT),
    EventSourceArn: required(TEXT),
    ...POLLING,
  },
  'AWS::Scheduler::Schedule': {
    ScheduleExpression: required(TEXT),
    Target: required(OBJECT),
    ScheduleExpressionTimezone: TEXT,
    State: oneOf('ENABLED', 'DISABLED'),
  },
};

/** Valid resources of these types. A malformed one is left out, and a malformed member too: each with one warning. */
export function readServiceResources(raw: RawTemplate, scope: Scope): readonly ServiceResource[] {
  return Object.entries(raw.resources).flatMap(([id, { type, properties: given }]): readonly ServiceResource[] => {
    const rules = Object.hasOwn(RESOURCE_RULES, type) ? RESOURCE_RULES[type] : undefined;
    if (rules === undefined) return [];
    let isBroken = false;
    const resolved = readPart(
      () => objectOf(resolveValue(given, { ...scope, location: id })),
      {},
      (reason) => {
        isBroken = true;
        scope.warn(`${reason}; it is left out.`);
      },
    );
    // Queues and topics exist without any property: others name them.
    const isNamed = type === QUEUE || type === TOPIC;
    const properties = isBroken && !isNamed ? undefined : validMembers(id, resolved, rules, scope.warn);
    return properties === undefined
      ? []
      : [{ id, type, properties, attributes: scope.resources[id]?.attributes ?? {} }];
  });
}

/** Members of one entry of a topic's `Subscription`. */
export const TOPIC_SUBSCRIPTION_RULES: MemberRules = { Endpoint: required(TEXT), ...SUBSCRIPTION };
/** Members of one target of a rule or a schedule. */
export const TARGET_RULES: MemberRules = {
  Arn: required(TEXT),
  Input: TEXT,
  InputPath: TEXT,
  InputTransformer: OBJECT,
};
