import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { OpenrayError } from '../errors.ts';
import { type MatcherResult, type TraceMatcherName, traceMatchers } from './matchers.ts';

/** One expectation of a file: `toCall: [orders, payments]`, or the same below `not`. */
export type FileExpectation = {
  readonly matcher: TraceMatcherName;
  readonly args: readonly unknown[];
  readonly isNegated: boolean;
};

/** One trace that a file looks at: of an invocation that it makes, or one that is there or comes. */
export type FileCheck = {
  readonly target:
    | { readonly kind: 'invoke'; readonly functionName: string; readonly event: unknown }
    | { readonly kind: 'trace'; readonly filterOrId: string };
  readonly complete: boolean;
  readonly untracedCaller: boolean;
  readonly timeoutMs: number;
  readonly expectations: readonly FileExpectation[];
};

const MATCHER_NAMES = Object.keys(traceMatchers) as [TraceMatcherName, ...TraceMatcherName[]];

const callSchema = z.record(z.string(), z.unknown());

const checkSchema = z
  .strictObject({
    invoke: z.string().optional(),
    event: z.unknown().optional(),
    trace: z.string().optional(),
    complete: z.boolean().default(true),
    untracedCaller: z.boolean().default(false),
    timeoutSeconds: z.number().positive().max(900).default(10),
    expect: z.array(z.union([z.enum(MATCHER_NAMES), callSchema])).min(1),
  })
  .refine(({ invoke, trace }) => (invoke === undefined) !== (trace === undefined), {
    error: 'name a function to invoke, or a trace by filter or id',
  });

/** Reads a file of checks. Throws InvalidRequestException, naming the place, when it is not one. */
export function readAssertionFile(file: string): readonly FileCheck[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OpenrayError('InvalidRequestException', `${file} can not be read`, { cause });
  }
  return parseAssertions(text, file);
}

/** The same of a text; `file` is for messages. */
export function parseAssertions(text: string, file: string): readonly FileCheck[] {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    throw invalidFile(file, (cause as Error).message.split('\n', 1)[0] ?? '', cause);
  }
  const parsed = z.array(checkSchema).min(1).safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const place = issue?.path.map(String).join('.') ?? '';
    throw invalidFile(file, `${place === '' ? '' : `${place}: `}${issue?.message}`);
  }
  return parsed.data.map(({ invoke, event = {}, trace, timeoutSeconds, expect, ...rest }) => ({
    ...rest,
    target:
      invoke === undefined
        ? { kind: 'trace', filterOrId: trace ?? '' }
        : { kind: 'invoke', functionName: invoke, event },
    timeoutMs: timeoutSeconds * 1000,
    expectations: expect.flatMap((entry) => readExpectations(entry, false, file)),
  }));
}

/** What does not hold, as sentences; empty when all does. */
export function failedExpectations(trace: RecordedTrace, expectations: readonly FileExpectation[]): readonly string[] {
  return expectations.flatMap(({ matcher, args: rest, isNegated: isOpposite }) => {
    const run = traceMatchers[matcher] as (trace: RecordedTrace, ...rest: readonly unknown[]) => MatcherResult;
    const { pass, message } = run(trace, ...rest);
    return pass === isOpposite ? [message()] : [];
  });
}

/** `toBeOk`, `toCall: [a, b]`, `toCall: b`, `not: {toHaveFault: []}` or `not: toHaveFault`. */
function readExpectations(entry: unknown, isOpposite: boolean, file: string): readonly FileExpectation[] {
  const pairs = typeof entry === 'string' ? [[entry, []] as const] : Object.entries(entry as object);
  return pairs.flatMap(([name, rest]): readonly FileExpectation[] => {
    if (name === 'not') return readExpectations(rest, !isOpposite, file);
    const matcher = MATCHER_NAMES.find((known) => known === name);
    if (matcher === undefined)
      throw invalidFile(file, `there is no expectation ${name}; there are ${MATCHER_NAMES.join(', ')}`);
    const list: readonly unknown[] = Array.isArray(rest) ? rest : [rest];
    return [{ matcher, args: list.map(readPattern), isNegated: isOpposite }];
  });
}

/** `/…/` is a pattern, as in code. */
function readPattern(value: unknown): unknown {
  const parts = typeof value === 'string' ? /^\/(.+)\/(i?)$/.exec(value) : null;
  return parts?.[1] === undefined ? value : new RegExp(parts[1], parts[2]);
}

function invalidFile(file: string, reason: string, cause?: unknown): OpenrayError {
  return new OpenrayError('InvalidRequestException', `${file}: ${reason}`, { cause });
}
