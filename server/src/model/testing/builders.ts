import type { Document } from '../entity.ts';
import type { JsonObject } from '../json.ts';
import { parseDocument } from '../parse-document.ts';
import type { EntityId } from '../trace-id.ts';

/** The trace id of all built documents, unless their fields replace it. */
export const A_TRACE_ID = '1-6650a080-3c4d5e6f708192a3b4c5d6e7';

/** Start of all built entities, epoch seconds. They last half a second. */
export const A_START = 1_716_560_000;

/** An entity id from one of its digits, or from all of them. */
export function anId(digits: string): EntityId {
  return digits.repeat(16 / digits.length) as EntityId;
}

/** A finished segment as it is sent. `fields` replace and add members; `undefined` removes one. */
export function aSegment(fields: { readonly [key: string]: JsonObject[string] | undefined } = {}): JsonObject {
  return withDefaults(
    {
      id: '5a6b7c8d9e0f1a20',
      name: 'shop',
      trace_id: A_TRACE_ID,
      start_time: A_START,
      end_time: A_START + 0.5,
    },
    fields,
  );
}

/** A finished inline subsegment. It is independent if `fields` have a `parent_id`. */
export function aSubsegment(fields: { readonly [key: string]: JsonObject[string] | undefined } = {}): JsonObject {
  const isAlone = fields.parent_id !== undefined;
  return withDefaults(
    {
      id: '7c2e3f4a5b6c7d82',
      name: '## index.handler',
      start_time: A_START + 0.1,
      end_time: A_START + 0.4,
      ...(isAlone && { type: 'subsegment', trace_id: A_TRACE_ID }),
    },
    fields,
  );
}

function withDefaults(
  defaults: JsonObject,
  fields: { readonly [key: string]: JsonObject[string] | undefined },
): JsonObject {
  const entries = Object.entries({ ...defaults, ...fields });
  return Object.fromEntries(entries.filter((entry): entry is [string, JsonObject[string]] => entry[1] !== undefined));
}

/** The documents as they are received, one after the other. Throws if one is rejected. */
export function received(...sent: readonly JsonObject[]): readonly Document[] {
  return receivedTexts(sent.map((fields) => JSON.stringify(fields)));
}

/** `received` for texts. The first one has `firstSeq`, each later one a microsecond more. */
export function receivedTexts(texts: readonly string[], firstSeq = A_START * 1e6): readonly Document[] {
  return texts.flatMap((text, index) =>
    parseDocument(text, firstSeq + index).map((parsed) => {
      if (!parsed.ok) throw new Error(`${parsed.message} in ${text}`);
      return parsed.document;
    }),
  );
}
