import type { WireService, WireTraceSummary } from 'openray/api-types';
import type { Vocabulary } from 'openray/filter';

/** Values of one field to offer; more would only be scrolled past. */
const MAX_VALUES = 50;

/** What the completions know: services of the map, and fields and values of the newest traces. */
export function vocabularyOf(services: readonly WireService[], traces: readonly WireTraceSummary[]): Vocabulary {
  const values = new Map<string, Set<string | number | boolean>>();
  const keys = new Set<string>();
  const saw = (field: string, value: string | number | boolean | null) => {
    if (value === null) return;
    const seen = values.get(field) ?? new Set();
    if (seen.size < MAX_VALUES) values.set(field, seen.add(value));
  };
  for (const { Http, Users, Annotations } of traces) {
    saw('http.url', Http.HttpURL);
    saw('http.method', Http.HttpMethod);
    saw('http.status', Http.HttpStatus);
    saw('http.clientip', Http.ClientIp);
    saw('http.useragent', Http.UserAgent);
    for (const { UserName } of Users) saw('user', UserName);
    for (const [key, list] of Object.entries(Annotations)) {
      keys.add(key);
      for (const { AnnotationValue: value } of list) {
        saw(`annotation.${key}`, value.StringValue ?? value.NumberValue ?? value.BooleanValue);
      }
    }
  }
  return {
    services: distinct(services.filter(({ Type }) => Type !== 'client').map(({ Name }) => Name)),
    serviceTypes: distinct(services.flatMap(({ Type }) => (Type === null ? [] : [Type]))),
    annotationKeys: [...keys].sort(),
    values: Object.fromEntries([...values].map(([field, seen]) => [field, [...seen]])),
  };
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
