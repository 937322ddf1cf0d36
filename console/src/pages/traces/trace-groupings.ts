import type { WireAnnotationValue, WireTraceSummary } from 'openray/api-types';
import type { AnyNumber } from 'openray/model';
import { type Outcome, outcomeOf } from 'openray/model';
import { annotationCondition, quote, serviceSelector } from '../../shared/filter-text.ts';
import { nodeTypeLabel, shortNodeName } from '../../shared/node-type.ts';
import { NO_REQUESTS, type OutcomeCounts } from '../../shared/outcome.ts';

/** Fields of a summary by which traces can be grouped; `annotation.<key>` is a grouping too. */
export const FIELD_GROUPINGS = [
  { id: 'service', label: 'Service' },
  { id: 'entry', label: 'Entry point' },
  { id: 'url', label: 'URL' },
  { id: 'status', label: 'Status code' },
  { id: 'method', label: 'Method' },
  { id: 'user', label: 'User' },
] as const;

export type OverviewRow = {
  readonly label: string;
  /** The filter that finds the traces of the row. */
  readonly filter: string;
  readonly traces: number;
  /** Mean response time of the finished traces, microseconds. */
  readonly averageUs: number | undefined;
  /** Traces by the worst outcome of their segments. */
  readonly counts: OutcomeCounts;
};

type Value = { readonly label: string; readonly filter: string };

/** The outcome of the root, as its caller saw it; undefined while the root has not arrived. */
export function rootOutcome(trace: WireTraceSummary): Outcome | undefined {
  if (trace.EntryPoint === null) return undefined;
  return outcomeOf({ isThrottle: trace.HasThrottle, isFault: trace.HasFault, isError: trace.HasError });
}

/** Annotation keys of the traces, most used first. */
export function annotationKeys(traces: readonly WireTraceSummary[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const trace of traces)
    for (const key of Object.keys(trace.Annotations)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([key]) => key);
}

/** The traces by the values of `grouping`, most traces first. A trace with several values counts in several rows. */
export function groupTraces(traces: readonly WireTraceSummary[], grouping: string): readonly OverviewRow[] {
  const groups = new Map<
    string,
    { value: Value; traces: number; timed: number; sumUs: number; counts: Record<Outcome, number> }
  >();
  for (const trace of traces) {
    const seen = new Set<string>();
    for (const value of valuesOf(trace, grouping)) {
      const key = `${value.filter}\n${value.label}`;
      if (seen.has(key)) continue;
      seen.add(key);
      let group = groups.get(key);
      if (!group) {
        group = { value, traces: 0, timed: 0, sumUs: 0, counts: { ...NO_REQUESTS } };
        groups.set(key, group);
      }
      group.traces += 1;
      group.counts[trace.WorstOutcome] += 1;
      if (trace.ResponseTime !== null) {
        group.timed += 1;
        group.sumUs += trace.ResponseTime * 1_000_000;
      }
    }
  }
  return [...groups.values()]
    .map(({ value, traces: count, timed, sumUs, counts }) => ({
      ...value,
      traces: count,
      averageUs: timed === 0 ? undefined : sumUs / timed,
      counts,
    }))
    .sort((a, b) => b.traces - a.traces || compare(a.label, b.label) || compare(a.filter, b.filter));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function annotationText(value: WireAnnotationValue): string {
  return String(annotationOf(value));
}

function annotationOf({ StringValue, NumberValue, BooleanValue }: WireAnnotationValue): string | AnyNumber | boolean {
  return StringValue ?? NumberValue ?? BooleanValue ?? '';
}

function valuesOf(trace: WireTraceSummary, grouping: string): readonly Value[] {
  if (grouping.startsWith('annotation.')) {
    const key = grouping.slice('annotation.'.length);
    return (trace.Annotations[key] ?? []).map(({ AnnotationValue }) => ({
      label: annotationText(AnnotationValue),
      filter: annotationCondition(key, annotationOf(AnnotationValue)),
    }));
  }
  const { Http, EntryPoint, ServiceIds, Users } = trace;
  switch (grouping) {
    case 'entry':
      return EntryPoint ? [serviceValue(EntryPoint.Name, EntryPoint.Type, ' { root }')] : [];
    case 'url':
      return Http.HttpURL === null ? [] : [{ label: Http.HttpURL, filter: `http.url = ${quote(Http.HttpURL)}` }];
    case 'status':
      return Http.HttpStatus === null
        ? []
        : [{ label: String(Http.HttpStatus), filter: `http.status = ${Http.HttpStatus}` }];
    case 'method':
      return Http.HttpMethod === null
        ? []
        : [{ label: Http.HttpMethod, filter: `http.method = ${quote(Http.HttpMethod)}` }];
    case 'user':
      return Users.map(({ UserName }) => ({ label: UserName, filter: `user = ${quote(UserName)}` }));
    default:
      return ServiceIds.filter(({ Type }) => Type !== 'client').map(({ Name, Type }) => serviceValue(Name, Type, ''));
  }
}

function serviceValue(name: string, type: string | null, condition: string): Value {
  return {
    label: `${shortNodeName(name, type)} (${nodeTypeLabel(type)})`,
    filter: `${serviceSelector({ name, type })}${condition}`,
  };
}
