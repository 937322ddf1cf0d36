import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { issueSentence, OpenrayError } from '../errors.ts';
import { type MatcherResult, type TraceMatcherName, traceMatchers } from './matchers.ts';

/** One expectation of a file, such as `toCall: [orders, payments]`; negated below `not`. */
export type FileExpectation = {
  readonly matcher: TraceMatcherName;
  readonly args: readonly unknown[];
  readonly isNegated: boolean;
};

/** One check of a file: invoke a function and wait for its trace, or wait for a trace by filter or id. */
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

/** Reads a file of checks. Throws InvalidRequestException with the path of the invalid value, such as `0.expect.1`. */
export function readAssertionFile(file: string): readonly FileCheck[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OpenrayError('InvalidRequestException', `${file} cannot be read`, { cause });
  }
  return parseAssertions(text, file);
}

/** Like `readAssertionFile`, for the text of a file; `file` is its name in messages. */
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
    const path = issue?.path.map(String).join('.') ?? '';
    throw invalidFile(file, `${path === '' ? '' : `${path}: `}${issueSentence(issue)}`);
  }
  return parsed.data.map(({ invoke, event = {}, trace, timeoutSeconds, expect, ...options }) => ({
    ...options,
    target:
      invoke === undefined
        ? { kind: 'trace', filterOrId: trace ?? '' }
        : { kind: 'invoke', functionName: invoke, event },
    timeoutMs: timeoutSeconds * 1000,
    expectations: expect.flatMap((entry) => readExpectations(entry, false, file)),
  }));
}

/** A message for each failed expectation; empty when all pass. */
export function failedExpectations(trace: RecordedTrace, expectations: readonly FileExpectation[]): readonly string[] {
  return expectations.flatMap(({ matcher, args, isNegated }) => {
    const run = traceMatchers[matcher] as (trace: RecordedTrace, ...args: readonly unknown[]) => MatcherResult;
    const { pass, message } = run(trace, ...args);
    return pass === isNegated ? [message()] : [];
  });
}

/** Accepts `toBeOk`, `toCall: [a, b]`, `toCall: b`, `not: {toHaveFault: []}` and `not: toHaveFault`. */
function readExpectations(entry: unknown, isNegated: boolean, file: string): readonly FileExpectation[] {
  const pairs = typeof entry === 'string' ? [[entry, []] as const] : Object.entries(entry as object);
  return pairs.flatMap(([name, value]): readonly FileExpectation[] => {
    if (name === 'not') return readExpectations(value, !isNegated, file);
    const matcher = MATCHER_NAMES.find((known) => known === name);
    if (matcher === undefined)
      throw invalidFile(file, `there is no expectation ${name}; there are ${MATCHER_NAMES.join(', ')}`);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return [{ matcher, args: list.map(readPattern), isNegated }];
  });
}

/** Turns `/…/` and `/…/i` into a RegExp. */
function readPattern(value: unknown): unknown {
  const parts = typeof value === 'string' ? /^\/(.+)\/(i?)$/.exec(value) : null;
  return parts?.[1] === undefined ? value : new RegExp(parts[1], parts[2]);
}

function invalidFile(file: string, reason: string, cause?: unknown): OpenrayError {
  return new OpenrayError('InvalidRequestException', `${file}: ${reason}`, { cause });
}
