import { setTimeout as delay } from 'node:timers/promises';
import { parseRows, type RenderedSql, renderSql, sql } from '../sql.ts';
import { clickhouseCode, messageOf } from './clickhouse-errors.ts';
import type { CallOptions, Engine } from './engine.ts';
import { quote } from './parameters.ts';

/** A part of a table whose rows cannot be read. */
export type DamagedPart = { readonly table: string; readonly name: string; readonly reason: string };

/** Why a result may be incomplete, as `onIncomplete` gets it. */
export const DAMAGED_REASON = 'damaged parts are left out';

/** Tables whose damaged parts are left out. Without a part of another table, results would be wrong, not incomplete. */
const LEAVABLE: readonly string[] = ['documents', 'entities', 'trace_summaries'];
/** Each attempt finds one more part. */
const MAX_ATTEMPTS = 32;
/** After a search that found nothing. */
const SEARCH_INTERVAL_MS = 600_000;

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
  1001, // STD_EXCEPTION, of a file whose size is read
]);

/** `…/store/ac0/ac07f323-d28f-4351-af02-0bde36df4664/20786_1_1_0/`, a part or a file of it. */
const PATH_OF_PART = /\/store\/[0-9a-f]{3}\/([0-9a-f-]{36})\/([^/'"\n]+)\//;

type Damage = {
  /** Of the table, and the name of the part; undefined if the message names neither, as for some empty files. */
  readonly place: { readonly uuid: string; readonly name: string } | undefined;
  readonly reason: string;
};

/** The damage that made a call fail; undefined if it failed for another reason. */
export function damageIn(thrown: unknown): Damage | undefined {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  if (!DAMAGE_CODES.has(clickhouseCode(cause) ?? 0)) return undefined;
  const message = messageOf(cause);
  const [, uuid, name] = PATH_OF_PART.exec(message) ?? [];
  return {
    place: uuid === undefined || name === undefined ? undefined : { uuid, name },
    reason: (message.split('\n')[0] ?? '').replace(/: \(?while (?:reading|executing).*/is, '').slice(0, 200),
  };
}

/**
 * The engine, whose queries leave out parts that they cannot read: instead of a failure they have a result, and call
 * `onIncomplete`. A part is found by the first query that fails on it; `known` are parts that the engine itself left
 * out at its start. `search` reads all data, and is called when a message of the engine names no part. Not on a cluster,
 * where parts of different shards have the same name.
 */
export function leaveOutDamagedParts(
  engine: Engine,
  {
    known: initiallyKnown,
    onFound,
    search,
  }: {
    readonly known: readonly DamagedPart[];
    onFound(part: DamagedPart): void;
    search(): Promise<readonly DamagedPart[]>;
  },
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

  const isNamedIn = (query: string) => (table: string) => new RegExp(`\\b${table}\\b`).test(query);

  /** Whether to try again, without a part that was not known. */
  async function isFound(thrown: unknown, { query }: RenderedSql, options: CallOptions, attempt: number) {
    const damage = damageIn(thrown);
    if (damage === undefined || attempt >= MAX_ATTEMPTS) return false;
    if (damage.place === undefined) {
      return (
        LEAVABLE.some(isNamedIn(query)) &&
        Promise.race([isFoundBySearch(), delay(options.timeoutMs, false, { ref: false })])
      );
    }
    const { uuid, name } = damage.place;
    const table = await tableOf(engine, uuid);
    return table !== undefined && leaveOut({ table, name, reason: damage.reason });
  }

  function leaveOut(part: DamagedPart): boolean {
    if (found.has(keyOf(part)) || !LEAVABLE.includes(part.table)) return false;
    onFound(part);
    found.set(keyOf(part), part);
    return true;
  }

  let searching: Promise<boolean> | undefined;
  let nextSearchMs = Number.NEGATIVE_INFINITY;

  /** Simultaneous calls share a search. A failure that is no damage causes one in SEARCH_INTERVAL_MS. */
  async function isFoundBySearch(): Promise<boolean> {
    if (performance.now() < nextSearchMs) return false;
    searching ??= search()
      .then((parts) => parts.map(leaveOut).includes(true))
      .catch(() => false)
      .then((isFound) => {
        if (!isFound) nextSearchMs = performance.now() + SEARCH_INTERVAL_MS;
        searching = undefined;
        return isFound;
      });
    return searching;
  }

  const isAffected = ({ query }: RenderedSql) =>
    [...known, ...found.values()].some(({ table }) => isNamedIn(query)(table));

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
            if (!(await isFound(thrown, statement, options, attempt))) throw thrown;
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
            if (!(await isFound(thrown, statement, options, attempt)) || isBegun) throw thrown;
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

const LOOK_UP_LIMITS: CallOptions = { signal: undefined, timeoutMs: 10_000, maxMemoryBytes: 0 };

/** Undefined if it fails: the call that found the damage then fails as well. */
async function tableOf(engine: Engine, uuid: string): Promise<string | undefined> {
  const statement = sql`SELECT name FROM system.tables WHERE database = currentDatabase() AND toString(uuid) = ${uuid}`;
  const text = await engine.query(renderSql(statement), LOOK_UP_LIMITS).catch(() => '');
  return parseRows<{ name: string }>(text)[0]?.name;
}

const keyOf = ({ table, name }: DamagedPart): string => `${table}/${name}`;
