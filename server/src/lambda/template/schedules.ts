import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { parseSchedule, wallClock } from '../spec/schedule-expression.ts';
import type { ScheduleSpec, ScheduleTarget } from '../spec/services.ts';

export type ScheduleSource = {
  readonly name: string;
  /** Where in the template, for warnings. */
  readonly where: string;
  readonly kind: ScheduleSpec['kind'];
  /** `Schedule` of SAM's events, `ScheduleExpression` of CloudFormation's resources. */
  readonly expression: JsonValue | undefined;
  readonly properties: JsonObject;
  readonly targets: readonly ScheduleTarget[];
};

/** Undefined, with a warning, when the expression or the time zone is invalid. */
export function readSchedule(source: ScheduleSource, warn: (sentence: string) => void): ScheduleSpec | undefined {
  const { name, where, kind, properties, targets } = source;
  const text = String(source.expression ?? '');
  const expression = parseSchedule(text);
  const timeZone = String(properties.ScheduleExpressionTimezone ?? 'UTC');
  if (expression === undefined || !isTimeZone(timeZone)) {
    warn(`${where}: "${text}" is not a schedule${isTimeZone(timeZone) ? '' : ` in "${timeZone}"`}; it does not run.`);
    return undefined;
  }
  const { State: state, Enabled: enabled } = properties;
  const isEnabled = state !== 'DISABLED' && enabled !== false && enabled !== 'false';
  return { name, text, expression, timeZone, kind, isEnabled, targets };
}

export function scheduleTarget(target: JsonValue): ScheduleTarget {
  const { Arn: arn, Input: input } = isJsonObject(target) ? target : {};
  return { arn: String(arn ?? ''), input: typeof input === 'string' ? input : undefined };
}

function isTimeZone(name: string): boolean {
  try {
    wallClock(0, name);
    return true;
  } catch {
    return false;
  }
}
