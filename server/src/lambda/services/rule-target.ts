import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { RuleTarget } from '../spec/services.ts';

/**
 * The input of a rule's target: the event, a part of it, a constant, or the result of its transformer.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export function targetInput({ input, inputPath, transformer }: Omit<RuleTarget, 'arn'>, event: JsonObject): JsonValue {
  if (transformer !== undefined) return applyTransformer(transformer, event);
  if (input !== undefined) return parse(input);
  return inputPath === undefined ? event : (valueAtPath(event, inputPath) ?? null);
}

/** `$.detail.items[0]` */
function valueAtPath(event: JsonObject, path: string): JsonValue | undefined {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '' && key !== '$');
  return keys.reduce<JsonValue | undefined>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined,
    event,
  );
}

/** `<name>` becomes JSON, and text inside of quotes. A value that the event does not have is empty. */
function applyTransformer({ paths, template }: NonNullable<RuleTarget['transformer']>, event: JsonObject): JsonValue {
  const value = (name: string): JsonValue | undefined => {
    if (name === 'aws.events.event' || name === 'aws.events.event.json') return event;
    const path = paths[name];
    return path === undefined ? undefined : valueAtPath(event, path);
  };
  const inQuotes = (text: string) =>
    text.replace(/<([\w.-]+)>/g, (whole, name: string) => {
      if (!isKnown(name, paths)) return whole;
      const part = value(name) ?? '';
      const plain = typeof part === 'string' ? part : JSON.stringify(part);
      return JSON.stringify(plain).slice(1, -1);
    });
  const text = template.replace(/"(?:[^"\\]|\\.)*"|<([\w.-]+)>/gs, (whole, name?: string) => {
    if (name === undefined) return inQuotes(whole);
    return isKnown(name, paths) ? JSON.stringify(value(name) ?? '') : whole;
  });
  return parse(text);
}

function isKnown(name: string, paths: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(paths, name) || name === 'aws.events.event' || name === 'aws.events.event.json';
}

/** Text that is not JSON stays text. */
function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
