import type { RenderedSql } from '../sql.ts';
import { clickhouseCode, messageOf } from './clickhouse-errors.ts';
import type { CallOptions, Engine } from './engine.ts';
import { quote } from './parameters.ts';

/** A part of a table whose rows cannot be read. */
export type DamagedPart = { readonly table: string; readonly name: string; readonly reason: string };

/** Why a result may be incomplete, as `onIncomplete` gets it. */
export const DAMAGED_REASON = 'damaged parts are left out';

/** Tables whose damaged parts are left out. Without a part of another table, results would be wrong, not incomplete. */
const LEAVABLE = /^(?:documents|entities|trace_summaries)$/;
/** Each attempt finds one more part. */
const MAX_ATTEMPTS = 32;

/** @see src/Common/ErrorCodes.cpp of ClickHouse */
const DAMAGE_CODES: ReadonlySet<number> = new Set([
  23, // CANNOT_READ_FROM_ISTREAM
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  40, // CHECKSUM_DOESNT_MATCH
  49, // LOGICAL_ERROR, of decoders
  74, // CANNOT_READ_FROM_FILE_DESCRIPTOR
  107, // FILE_DOESNT_EXIST
  117, // INCORRECT_DATA
  128, // TOO_LARGE_ARRAY_SIZE
  131, // TOO_LARGE_STRING_SIZE
  226, // NO_FILE_IN_DATA_PART
  228, // BAD_SIZE_OF_FILE_IN_DATA_PART
  246, // CORRUPTED_DATA
  271, // CANNOT_DECOMPRESS
  432, // UNKNOWN_CODEC
]);

/** `while reading from part /…/20786_1_1_0/ in table openray.documents (…)`, or a file of the part. */
const READING = /while reading from part \S*?\/([^/\s]+)\/ in table \w+\.(\w+) /i;

/** The part that a failed call could not read; undefined if it failed for another reason. */
export function damagedPartOf(thrown: unknown): DamagedPart | undefined {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  if (!DAMAGE_CODES.has(clickhouseCode(cause) ?? 0)) return undefined;
  const message = messageOf(cause);
  const [, name, table] = READING.exec(message) ?? [];
  if (name === undefined || table === undefined) return undefined;
  return { table, name, reason: (message.split('\n')[0] ?? '').replace(/: \(?while reading.*/is, '').slice(0, 200) };
}

/**
 * The engine, whose queries leave out parts that they cannot read: instead of a failure they have a result, and call
 * `onIncomplete`. A part is found by the first query that fails on it; `known` are parts that the engine itself left
 * out at its start. Not on a cluster, where parts of different shards have the same name.
 */
export function leaveOutDamagedParts(
  engine: Engine,
  { known: initiallyKnown, onFound }: { readonly known: readonly DamagedPart[]; onFound(part: DamagedPart): void },
): {
  readonly engine: Engine;
  damagedParts(): readonly DamagedPart[];
  /** After a start of the engine: the parts that it left out now. */
  setKnown(parts: readonly DamagedPart[]): void;
} {
  let known = initiallyKnown;
  const setKnown = (parts: readonly DamagedPart[]) => {
    const before = new Set(known.map(keyOf));
    known = parts;
    for (const part of parts) if (!before.has(keyOf(part))) onFound(part);
  };
  if (engine.cluster !== undefined) return { engine, damagedParts: () => known, setKnown };
  const found = new Map<string, DamagedPart>();

  function without(statement: RenderedSql): RenderedSql {
    return { ...statement, query: statement.query + filterClause([...found.values()]) };
  }

  /** Whether to try again without the part. */
  function isFound(thrown: unknown, attempt: number): boolean {
    const part = damagedPartOf(thrown);
    if (part === undefined || !LEAVABLE.test(part.table) || attempt >= MAX_ATTEMPTS) return false;
    if (!found.has(keyOf(part))) onFound(part);
    found.set(keyOf(part), part);
    return true;
  }

  const isAffected = ({ query }: RenderedSql) =>
    [...known, ...found.values()].some(({ table }) => new RegExp(`\\b${table}\\b`).test(query));

  function report(statement: RenderedSql, { onIncomplete }: CallOptions): void {
    if (onIncomplete !== undefined && isAffected(statement)) onIncomplete(DAMAGED_REASON);
  }

  return {
    damagedParts: () => [...known, ...found.values()],
    setKnown,
    engine: {
      ...engine,
      async query(statement, options) {
        for (let attempt = 0; ; attempt += 1) {
          try {
            const result = await engine.query(without(statement), options);
            report(statement, options);
            return result;
          } catch (thrown) {
            if (!isFound(thrown, attempt)) throw thrown;
          }
        }
      },
      async *stream(statement, options) {
        for (let attempt = 0; ; attempt += 1) {
          let isBegun = false;
          try {
            for await (const rows of engine.stream(without(statement), options)) {
              isBegun = true;
              yield rows;
            }
            report(statement, options);
            return;
          } catch (thrown) {
            // Rows that were passed on would come again. The next call leaves the part out.
            if (!isFound(thrown, attempt) || isBegun) throw thrown;
          }
        }
      },
    },
  };
}

function filterClause(parts: readonly DamagedPart[]): string {
  if (parts.length === 0) return '';
  const filters = [...new Set(parts.map(({ table }) => table))].map((table) => {
    const names = parts.filter((part) => part.table === table).map(({ name }) => quote(name));
    return `${quote(table)}: ${quote(`_part NOT IN (${names.join(', ')})`)}`;
  });
  return ` SETTINGS additional_table_filters = {${filters.join(', ')}}`;
}

const keyOf = ({ table, name }: DamagedPart): string => `${table}/${name}`;
