import type { JsonValue } from '../../model/json.ts';
import type { ScheduleSpec, ScheduleTarget } from '../spec/services.ts';

/**
 * The payload for a target: the input in the template, else the event of the rule or the scheduler.
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
export function scheduledPayload(
  { name, kind }: Pick<ScheduleSpec, 'name' | 'kind'>,
  { input }: Pick<ScheduleTarget, 'input'>,
  call: { readonly id: string; readonly atMs: number; readonly region: string; readonly accountId: string },
): JsonValue {
  const { id, atMs, region, accountId: account } = call;
  const time = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
  const isRule = kind === 'rule';
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

/** Text that is not JSON stays text. */
function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
