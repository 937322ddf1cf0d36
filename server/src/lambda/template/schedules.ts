import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { parseSchedule, type ScheduleExpression, wallClock } from '../services/schedule-expression.ts';

/** A rule or a schedule that sends something at set times. */
export type ScheduleSpec = {
  /** Logical id, or that of a function and its event. */
  readonly name: string;
  /** As in the template. */
  readonly text: string;
  readonly expression: ScheduleExpression;
  readonly timeZone: string;
  /** Events of rules and of the scheduler look different. */
  readonly kind: 'rule' | 'scheduler';
  readonly isEnabled: boolean;
  readonly targets: readonly ScheduleTarget[];
};

export type ScheduleTarget = {
  /** ARN of a function, queue, topic or bus. */
  readonly arn: string;
  /** JSON text that is sent instead of the event. */
  readonly input: string | undefined;
};

export type ScheduleSource = {
  readonly name: string;
  readonly kind: ScheduleSpec['kind'];
  /** `Schedule` of SAM's events, `ScheduleExpression` of CloudFormation's resources. */
  readonly expression: JsonValue | undefined;
  readonly properties: JsonObject;
  readonly targets: readonly ScheduleTarget[];
};

/** Undefined, with a note, where the expression or the time zone can't be read. */
export function readSchedule(source: ScheduleSource, note: (sentence: string) => void): ScheduleSpec | undefined {
  const { name, kind: by, properties, targets } = source;
  const text = String(source.expression ?? '');
  const expression = parseSchedule(text);
  const timeZone = String(properties.ScheduleExpressionTimezone ?? 'UTC');
  if (expression === undefined || !isTimeZone(timeZone)) {
    note(`${name}: "${text}" is no schedule${isTimeZone(timeZone) ? '' : ` in "${timeZone}"`}; it does not run.`);
    return undefined;
  }
  const { State: state, Enabled: enabled } = properties;
  const isEnabled = state !== 'DISABLED' && enabled !== false && enabled !== 'false';
  return { name, text, expression, timeZone, kind: by, isEnabled, targets };
}

export function scheduleTarget(target: JsonValue): ScheduleTarget {
  const { Arn: arn, Input: input } = isJsonObject(target) ? target : {};
  return { arn: String(arn ?? ''), input: typeof input === 'string' ? input : undefined };
}

/**
 * What the function gets: the input of the template, else the event that the rule or the scheduler makes.
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
export function scheduledPayload(
  { name, kind: by }: Pick<ScheduleSpec, 'name' | 'kind'>,
  { input }: Pick<ScheduleTarget, 'input'>,
  call: { readonly id: string; readonly atMs: number; readonly region: string; readonly accountId: string },
): JsonValue {
  const { id, atMs, region, accountId: account } = call;
  const time = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
  const isRule = by === 'rule';
  const arn = isRule
    ? `arn:aws:events:${region}:${account}:rule/${name}`
    : `arn:aws:scheduler:${region}:${account}:schedule/default/${name}`;
  if (input !== undefined) {
    const values: Record<string, string> = {
      'schedule-arn': arn,
      'scheduled-time': time,
      'execution-id': id,
      'attempt-number': '1',
    };
    return parse(input.replace(/<aws\.scheduler\.([a-z-]+)>/g, (text, key: string) => values[key] ?? text));
  }
  return {
    version: '0',
    id,
    'detail-type': 'Scheduled Event',
    source: isRule ? 'aws.events' : 'aws.scheduler',
    account,
    time,
    region,
    resources: [arn],
    detail: isRule ? {} : '{}',
  };
}

function isTimeZone(name: string): boolean {
  try {
    wallClock(0, name);
    return true;
  } catch {
    return false;
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
