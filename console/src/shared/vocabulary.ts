import type { WireService, WireTraceSummary } from 'openray/api-types';
import type { Vocabulary } from 'openray/filter';
import type { AnyNumber } from 'openray/model';

/** Most values to offer for one field: users do not read a longer list. */
const MAX_VALUES = 50;

/** Names for completions: services of the graph, and fields and values of the newest traces. */
export function vocabularyOf(services: readonly WireService[], traces: readonly WireTraceSummary[]): Vocabulary {
  const values = new Map<string, Set<string | AnyNumber | boolean>>();
  const keys = new Set<string>();
  const addValue = (field: string, value: string | AnyNumber | boolean | null) => {
    if (value === null) return;
    const known = values.get(field) ?? new Set();
    if (known.size < MAX_VALUES) values.set(field, known.add(value));
  };
  for (const { Http, Users, Annotations } of traces) {
    addValue('http.url', Http.HttpURL);
    addValue('http.method', Http.HttpMethod);
    addValue('http.status', Http.HttpStatus);
    addValue('http.clientip', Http.ClientIp);
    addValue('http.useragent', Http.UserAgent);
    for (const { UserName } of Users) addValue('user', UserName);
    for (const [key, list] of Object.entries(Annotations)) {
      keys.add(key);
      for (const { AnnotationValue: value } of list) {
        addValue(`annotation.${key}`, value.StringValue ?? value.NumberValue ?? value.BooleanValue);
      }
    }
  }
  return {
    services: distinct(services.filter(({ Type }) => Type !== 'client').map(({ Name }) => Name)),
    serviceTypes: distinct(services.flatMap(({ Type }) => (Type === null ? [] : [Type]))),
    annotationKeys: [...keys].sort(),
    values: Object.fromEntries([...values].map(([field, known]) => [field, [...known]])),
  };
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
