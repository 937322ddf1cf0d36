/** `openray/model`: the rules by which a trace is read, for the console. Pure: it imports no `node:` module. */
export { byStart, type Entity, type Outcome, type RecordedException } from './entity.ts';
export { parseJson, printJson } from './exact-json.ts';
export { type AnyNumber, ExactNumber, isNumber } from './exact-number.ts';
export { addCount, quantile } from './histogram.ts';
export { isJsonObject, type JsonObject, type JsonValue, readText } from './json.ts';
export { nestEntities } from './nesting.ts';
export { plainOf } from './otlp/any-value.ts';
export { FLAG, KIND, STATUS } from './otlp-messages.ts';
export { OUTCOMES, outcomeOf, worstOutcome } from './outcome.ts';
export { documentText } from './processed-document.ts';
export { readEntity } from './read-entity.ts';
export { calledService, nodeKey, serviceOf, serviceOfKey } from './service-names.ts';
export { secondsToUs, usToSeconds } from './time.ts';
export { fromThrough, isEmpty, type TimeInterval } from './time-interval.ts';
export { edgeKey } from './trace-graph.ts';
export { type EntityId, formatTraceId, parseTraceId, type TraceId } from './trace-id.ts';
export { isToProducer } from './trace-links.ts';
