import type { RecordedTrace } from '../client/recorded-trace.ts';
import { matches } from '../filter/matches.ts';
import { parseFilter } from '../filter/parser.ts';
import { durationUsOf, type Entity } from '../model/entity.ts';
import { printJson } from '../model/exact-json.ts';
import type { GraphNode } from '../model/graph.ts';
import { readObject } from '../model/json.ts';
import { type ExpectedValue, isAsExpected, showValue } from './expected-value.ts';

/** Result in the form of vitest and jest: `message` is shown when the expectation fails, with or without `.not`. */
export type MatcherResult = { readonly pass: boolean; readonly message: () => string };

export type NamePattern = string | RegExp;

/** Conditions on a segment or subsegment; a member that is left out allows every value. */
export type EntityConditions = {
  readonly namespace?: string;
  readonly origin?: string;
  readonly fault?: boolean;
  readonly error?: boolean;
  readonly throttle?: boolean;
  readonly status?: number;
};

/** Expectations about a trace. None of them waits: get a complete trace first. */
export const traceMatchers = {
  /** A segment of that name. A Lambda function has two, with the origins `AWS::Lambda` and `AWS::Lambda::Function`. */
  toHaveSegment(trace: RecordedTrace, name: NamePattern, conditions: EntityConditions = {}): MatcherResult {
    return hasEntity(trace, 'segment', name, conditions);
  },

  /** A subsegment of that name, anywhere in the trace. */
  toHaveSubsegment(trace: RecordedTrace, name: NamePattern, conditions: EntityConditions = {}): MatcherResult {
    return hasEntity(trace, 'subsegment', name, conditions);
  },

  /** An annotation on any segment or subsegment, with this value when one is given. */
  toHaveAnnotation(trace: RecordedTrace, key: string, value?: ExpectedValue): MatcherResult {
    const found = trace.entities.flatMap(({ annotations }) => (key in annotations ? [annotations[key]] : []));
    const all = trace.entities.flatMap(({ annotations }) =>
      Object.entries(annotations).map(([name, own]) => `${name}=${printJson(own)}`),
    );
    return matcherResult(
      trace,
      value === undefined ? found.length > 0 : found.some((own) => isAsExpected(own, value)),
      {
        wanted: `the annotation ${key}${value === undefined ? '' : ` with ${showValue(value)}`}`,
        actual: all,
      },
    );
  },

  /** Metadata under this key in any namespace, with this value (or at least these parts of it) when one is given. */
  toHaveMetadata(trace: RecordedTrace, key: string, value?: ExpectedValue): MatcherResult {
    const all = trace.entities.flatMap(({ metadata }) =>
      Object.values(readObject(metadata) ?? {}).flatMap((namespace) => Object.entries(readObject(namespace) ?? {})),
    );
    const found = all.filter(([name]) => name === key);
    return matcherResult(
      trace,
      value === undefined ? found.length > 0 : found.some(([, own]) => isAsExpected(own, value)),
      {
        wanted: `the metadata ${key}${value === undefined ? '' : ` with ${showValue(value)}`}`,
        actual: (found.length > 0 ? found : all).map(([name, own]) => `${name}=${printJson(own).slice(0, 200)}`),
      },
    );
  },

  /** An edge of the trace's graph: to this service from any other, or from the first service to the second. */
  toCall(trace: RecordedTrace, ...names: [to: NamePattern] | [from: NamePattern, to: NamePattern]): MatcherResult {
    const [from, to] = names.length === 1 ? [undefined, names[0]] : names;
    const nodes = new Map(trace.graph.nodes.map((node) => [node.key, node]));
    const calls = trace.graph.edges.flatMap((edge) => {
      const [caller, callee] = [nodes.get(edge.from), nodes.get(edge.to)];
      return caller && callee ? [{ caller, callee }] : [];
    });
    const pass = calls.some(
      ({ caller, callee }) =>
        isNamed(callee.service.name, to as NamePattern) && (from === undefined || isNamed(caller.service.name, from)),
    );
    return matcherResult(trace, pass, {
      wanted: `a call ${from === undefined ? '' : `from ${showValue(from)} `}to ${showValue(to)}`,
      actual: calls.map(({ caller, callee }) => `${nodeText(caller)} → ${nodeText(callee)}`),
    });
  },

  /** The whole trace, or every segment and subsegment of that name, takes less than `ms`. */
  toBeFasterThan(trace: RecordedTrace, ms: number, name?: NamePattern): MatcherResult {
    const timed =
      name === undefined
        ? [{ text: 'the trace', tookMs: trace.durationMs }]
        : trace.entities
            .filter((entity) => isNamed(entity.name, name))
            .map((entity) => ({ text: entity.name, tookMs: millisOf(entity) }));
    const pass = timed.length > 0 && timed.every(({ tookMs }) => tookMs !== undefined && tookMs < ms);
    const took = timed.map(({ text, tookMs }) =>
      tookMs === undefined ? `${text} is in progress` : `${text} took ${tookMs} ms`,
    );
    return matcherResult(trace, pass, {
      wanted: `${name === undefined ? '' : `${showValue(name)} `}to be done in less than ${ms} ms`,
      actual: took,
      isPredicate: true,
    });
  },

  /**
   * A fault (5xx, an exception) anywhere in the trace; with a pattern, one whose exception has this type or message.
   */
  toHaveFault(trace: RecordedTrace, pattern?: NamePattern): MatcherResult {
    const faults = trace.entities.filter(({ isFault }) => isFault);
    const texts = faults.flatMap(({ cause }) =>
      (cause?.exceptions ?? []).map(({ type, message }) => [type, message].filter(Boolean).join(': ')),
    );
    const isMatch = (text: string) =>
      typeof pattern === 'string' ? text.includes(pattern) : pattern === undefined || pattern.test(text);
    return matcherResult(trace, pattern === undefined ? faults.length > 0 : texts.some(isMatch), {
      wanted: `a fault${pattern === undefined ? '' : ` of ${showValue(pattern)}`}`,
      actual: texts.length > 0 ? texts : faults.map(({ name }) => name),
    });
  },

  /** Neither fault nor error nor throttle anywhere. */
  toBeOk(trace: RecordedTrace): MatcherResult {
    const bad = trace.entities.filter(({ outcome }) => outcome !== 'ok');
    return matcherResult(trace, bad.length === 0, {
      wanted: 'to be without fault, error and throttle',
      actual: bad.map(({ name, outcome }) => `${name}: ${outcome}`),
      isPredicate: true,
    });
  },

  /** A filter expression, such as `service("orders") { fault }`. Throws when it does not parse. */
  toMatchFilter(trace: RecordedTrace, expression: string): MatcherResult {
    const pass = matches(parseFilter(expression), trace);
    return matcherResult(trace, pass, { wanted: `to match ${expression}`, actual: [], isPredicate: true });
  },

  /** All parts that the trace refers to have been received. */
  toBeComplete(trace: RecordedTrace): MatcherResult {
    const pass = trace.missing.length === 0;
    return matcherResult(trace, pass, { wanted: 'to be complete', actual: trace.missing, isPredicate: true });
  },
};

export type TraceMatchers = typeof traceMatchers;
export type TraceMatcherName = keyof TraceMatchers;

function hasEntity(
  trace: RecordedTrace,
  kind: Entity['kind'],
  name: NamePattern,
  conditions: EntityConditions,
): MatcherResult {
  const all = trace.entities.filter((entity) => entity.kind === kind);
  const suffix = Object.keys(conditions).length === 0 ? '' : ` with ${JSON.stringify(conditions)}`;
  return matcherResult(
    trace,
    all.some((entity) => isNamed(entity.name, name) && meetsConditions(entity, conditions)),
    {
      wanted: `a ${kind} ${showValue(name)}${suffix}`,
      actual: [...new Set(all.map((entity) => entity.name))],
    },
  );
}

function meetsConditions(
  entity: Entity,
  { namespace, origin, fault, error, throttle, status }: EntityConditions,
): boolean {
  return (
    (namespace === undefined || entity.namespace === namespace) &&
    (origin === undefined || entity.origin === origin) &&
    (fault === undefined || entity.isFault === fault) &&
    (error === undefined || entity.isError === error) &&
    (throttle === undefined || entity.isThrottle === throttle) &&
    (status === undefined || entity.http?.status === status)
  );
}

function isNamed(name: string, wanted: NamePattern): boolean {
  return typeof wanted === 'string' ? name === wanted : wanted.test(name);
}

function nodeText({ service: { name, type } }: GraphNode): string {
  return type === undefined ? name : `${name} (${type})`;
}

function millisOf(entity: Entity): number | undefined {
  const us = durationUsOf(entity);
  return us === undefined ? undefined : us / 1000;
}

type Finding = { readonly wanted: string; readonly actual: readonly string[]; readonly isPredicate?: boolean };

/** The message has a sentence and the whole trace as a tree, so that the output of a failed test shows the reason. */
function matcherResult(
  trace: RecordedTrace,
  pass: boolean,
  { wanted, actual, isPredicate = false }: Finding,
): MatcherResult {
  return {
    pass,
    message: () => {
      const expected = `expected the trace ${pass ? 'not ' : ''}${isPredicate ? wanted : `to have ${wanted}`}`;
      return `${expected}${pass ? '' : actualText(actual, isPredicate)}\n\n${trace}`;
    },
  };
}

function actualText(actual: readonly string[], isPredicate: boolean): string {
  if (actual.length > 0) return `; there is: ${actual.join(', ')}`;
  return isPredicate ? '' : '; there is none';
}
