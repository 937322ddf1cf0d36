import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Destination, Subscription, TelemetryKind } from './telemetry.ts';

const KINDS: readonly TelemetryKind[] = ['platform', 'function', 'extension'];
const SCHEMAS = ['2022-07-01', '2022-12-13', '2025-01-29'];

/**
 * Reads the body of a subscription to the Telemetry API; undefined when it is invalid. The host becomes 127.0.0.1,
 * since `sandbox.localdomain` exists on AWS only.
 */
export function readSubscription(text: string): Subscription | undefined {
  const body = parse(text);
  const { schemaVersion, types, buffering, destination: target } = body ?? {};
  const destination = readDestination(isJsonObject(target) ? target : {});
  if (destination === undefined || !SCHEMAS.includes(String(schemaVersion)) || !Array.isArray(types)) return undefined;
  const kinds = KINDS.filter((kind) => types.includes(kind));
  if (kinds.length === 0 || kinds.length !== new Set(types).size) return undefined;
  const limits = isJsonObject(buffering) ? buffering : {};
  const maxItems = within(limits.maxItems, 1000, 10_000, 10_000);
  const maxBytes = within(limits.maxBytes, 262_144, 1_048_576, 262_144);
  const timeoutMs = within(limits.timeoutMs, 25, 30_000, 1000);
  if (maxItems === undefined || maxBytes === undefined || timeoutMs === undefined) return undefined;
  return { kinds, maxItems, maxBytes, timeoutMs, destination };
}

function readDestination({ protocol, URI: uri, port }: JsonObject): Destination | undefined {
  if (protocol === 'HTTP' && typeof uri === 'string' && URL.canParse(uri)) {
    const url = new URL(uri);
    if (url.protocol !== 'http:') return undefined;
    url.hostname = '127.0.0.1';
    return { protocol, url };
  }
  const number = Number(port);
  return protocol === 'TCP' && number > 0 && number < 65_536 ? { protocol, port: number } : undefined;
}

function within(value: JsonValue | undefined, min: number, max: number, fallback: number): number | undefined {
  if (value === undefined) return fallback;
  return typeof value === 'number' && value >= min && value <= max ? value : undefined;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
