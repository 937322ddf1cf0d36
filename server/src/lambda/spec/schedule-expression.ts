/** The times of a schedule, to the minute. */
export type ScheduleExpression =
  /** Every `everyMinutes`, counted from the start of the schedule. */
  | { readonly kind: 'rate'; readonly everyMinutes: number }
  | { readonly kind: 'cron'; readonly fields: CronFields }
  /** Once, at a wall clock time such as `2024-05-24T14:13`. */
  | { readonly kind: 'at'; readonly minute: string };

/** By field, whether a value matches. */
export type CronFields = {
  readonly minute: (value: number) => boolean;
  readonly hour: (value: number) => boolean;
  readonly dayOfMonth: (day: Day) => boolean;
  readonly month: (value: number) => boolean;
  readonly dayOfWeek: (day: Day) => boolean;
  readonly year: (value: number) => boolean;
};

type Day = { readonly year: number; readonly month: number; readonly day: number };

const UNITS = { minute: 1, hour: 60, day: 24 * 60 } as const;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/**
 * `rate(5 minutes)`, `cron(0 12 ? * MON-FRI *)` or `at(2024-05-24T14:13:00)`; undefined for any other text.
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function parseSchedule(text: string): ScheduleExpression | undefined {
  const [, kind, body = ''] = /^(rate|cron|at)\((.*)\)$/.exec(text.trim()) ?? [];
  switch (kind) {
    case 'rate': {
      const [, count, unit] = /^\s*([1-9]\d{0,5})\s+(minute|hour|day)s?\s*$/.exec(body) ?? [];
      if (count === undefined) return undefined;
      return { kind, everyMinutes: Number(count) * UNITS[unit as keyof typeof UNITS] };
    }
    case 'at': {
      const [, minute] = /^\s*(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::\d\d)?\s*$/.exec(body) ?? [];
      return minute === undefined ? undefined : { kind, minute };
    }
    case 'cron': {
      const fields = parseCron(body);
      return fields && { kind, fields };
    }
    default:
      return undefined;
  }
}

/**
 * Whether the schedule runs in the minute that begins at `minuteMs`. `sinceMs` is the minute in which the schedule
 * started. Daylight saving time: no run falls into a skipped hour, and a run in a repeated hour happens twice.
 */
export function isDue(
  expression: ScheduleExpression,
  minuteMs: number,
  { sinceMs, timeZone }: { readonly sinceMs: number; readonly timeZone: string },
): boolean {
  if (expression.kind === 'rate') {
    const minutes = Math.round((minuteMs - sinceMs) / 60_000);
    return minutes > 0 && minutes % expression.everyMinutes === 0;
  }
  const [, year, month, day, hour, minute] = (
    /^(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d)$/.exec(wallClock(minuteMs, timeZone)) ?? []
  ).map(Number) as [number, number, number, number, number, number];
  if (expression.kind === 'at') return wallClock(minuteMs, timeZone) === expression.minute;
  const { fields } = expression;
  const date = { year, month, day };
  return (
    fields.minute(minute) &&
    fields.hour(hour) &&
    fields.month(month) &&
    fields.year(year) &&
    fields.dayOfMonth(date) &&
    fields.dayOfWeek(date)
  );
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local time of the zone, `2024-05-24T14:13`. Throws RangeError for an unknown zone. */
export function wallClock(ms: number, timeZone: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    format = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...parts });
    formats.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

/** Minutes, hours, day of month, month, day of week (1 is Sunday), year. One of the two days is `?`. */
function parseCron(text: string): CronFields | undefined {
  const parts = text.trim().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = parts as [string, string, string, string, string, string];
  if (parts.length !== 6 || (dayOfMonth === '?') === (dayOfWeek === '?')) return undefined;
  const fields = {
    minute: numbers(minute, 0, 59),
    hour: numbers(hour, 0, 23),
    dayOfMonth: daysOfMonth(dayOfMonth),
    month: numbers(named(month, MONTHS), 1, 12),
    dayOfWeek: daysOfWeek(named(dayOfWeek, WEEKDAYS)),
    year: numbers(year, 1970, 2199),
  };
  return Object.values(fields).includes(undefined) ? undefined : (fields as CronFields);
}

function named(text: string, names: readonly string[]): string {
  return text.replace(/[A-Za-z]{3}/g, (name) => {
    const index = names.indexOf(name.toUpperCase());
    return index < 0 ? name : String(index + 1);
  });
}

/** `*`, `5`, `1-5`, `0/15`, `1-30/2`, and lists of these. */
function numbers(text: string, min: number, max: number): ((value: number) => boolean) | undefined {
  const tests: ((value: number) => boolean)[] = [];
  for (const part of text.split(',')) {
    const [, from, first, last, step] = /^(\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? [];
    if (from === undefined || step === '0') return undefined;
    const low = first === undefined ? min : Number(first);
    // `5/10` starts at 5 and continues to the end of the range.
    const high = last !== undefined ? Number(last) : from === '*' || step !== undefined ? max : low;
    if (low < min || high > max || low > high) return undefined;
    tests.push((value) => value >= low && value <= high && (value - low) % Number(step ?? 1) === 0);
  }
  return (value) => tests.some((test) => test(value));
}

/** Also `?`, `L` (the last day), `15W` (the weekday nearest to the 15th) and `LW`. */
function daysOfMonth(text: string): CronFields['dayOfMonth'] | undefined {
  if (text === '?') return () => true;
  if (text === 'L') return (date) => date.day === lastDayOf(date);
  const [, near] = /^(\d{1,2}|L)W$/.exec(text) ?? [];
  if (near !== undefined) {
    const wanted = near === 'L' ? 31 : Number(near);
    if (wanted < 1 || wanted > 31) return undefined;
    return (date) => date.day === nearestWeekday(date, Math.min(wanted, lastDayOf(date)));
  }
  const days = numbers(text, 1, 31);
  return days && (({ day }) => days(day));
}

/** Also `?`, `L` (Saturday), `6L` (the last Friday of the month) and `2#1` (its first Monday). */
function daysOfWeek(text: string): CronFields['dayOfWeek'] | undefined {
  if (text === '?') return () => true;
  if (text === 'L') return (date) => weekdayOf(date) === 7;
  const [, last] = /^([1-7])L$/.exec(text) ?? [];
  if (last !== undefined) return (date) => weekdayOf(date) === Number(last) && date.day > lastDayOf(date) - 7;
  const [, day, nth] = /^([1-7])#([1-5])$/.exec(text) ?? [];
  if (day !== undefined) return (date) => weekdayOf(date) === Number(day) && Math.ceil(date.day / 7) === Number(nth);
  const days = numbers(text, 1, 7);
  return days && ((date) => days(weekdayOf(date)));
}

function weekdayOf({ year, month, day }: Day): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
}

function lastDayOf({ year, month }: Day): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Of the same month. */
function nearestWeekday(date: Day, wanted: number): number {
  const weekday = weekdayOf({ ...date, day: wanted });
  if (weekday === 7) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (weekday === 1) return wanted < lastDayOf(date) ? wanted + 1 : wanted - 2;
  return wanted;
}
