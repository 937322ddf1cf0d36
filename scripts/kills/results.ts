/** Server, engine child, both at once; a shard of a cluster; a power loss. */
export const VICTIMS = ['server', 'engine', 'both', 'shard', 'power'] as const;
export type Victim = (typeof VICTIMS)[number];

export type Round = {
  readonly victim: Victim;
  /** From the kill to the acknowledgement of a request that began after it. */
  readonly backMs: number;
  /** From the kill to an answer that has the last trace acknowledged before it. */
  readonly answeredMs: number;
};

/** The rounds on one data directory, and what the store had at their end. */
export type Part = {
  readonly seed: number;
  readonly rounds: readonly Round[];
  readonly acknowledgedTraces: number;
  readonly acknowledgedSpans: number;
  /** Seconds in which the server was up. */
  readonly upSeconds: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly withoutEntities: number;
  readonly unanswered: number;
  readonly repeatedRows: number;
  readonly datagramsSent: number;
  readonly datagramsStored: number;
  /** Bytes of journals that power losses cut off. */
  readonly cutBytes: number;
  /** Some of the lost and duplicated traces. */
  readonly examples: readonly string[];
};

export const isGood = ({ lost, duplicated, withoutEntities }: Part): boolean =>
  lost + duplicated + withoutEntities === 0;

/** The lines of a state file, one a part. A line that is cut off belongs to a part that did not end. */
export function readParts(text: string): readonly Part[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Part);
}

export const roundsOf = (parts: readonly Part[]): readonly Round[] => parts.flatMap(({ rounds }) => rounds);

/** A table of all parts. */
export function summary(parts: readonly Part[], store: string): string {
  const rounds = roundsOf(parts);
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
  const rate = Math.round(
    sum((part) => part.acknowledgedSpans) /
      Math.max(
        1,
        sum((part) => part.upSeconds),
      ),
  );
  const rows: readonly (readonly [string, string | number])[] = [
    ['store', store],
    ['seeds', parts.map(({ seed }) => seed).join(' ')],
    ...VICTIMS.flatMap((victim) => victimRows(victim, rounds)),
    ['acknowledged', `${sum((part) => part.acknowledgedTraces)} traces, ${rate} spans/s while the server was up`],
    ['lost', sum((part) => part.lost)],
    ['duplicated', sum((part) => part.duplicated)],
    ['stored, without entity rows', sum((part) => part.withoutEntities)],
    ['refused or unanswered', sum((part) => part.unanswered)],
    ['rows of repeated inserts', sum((part) => part.repeatedRows)],
    [
      'datagrams',
      `${sum((part) => part.datagramsSent)} sent, ${sum((part) => part.datagramsStored)} stored (UDP has no acknowledgements)`,
    ],
    ['cut off journals', `${sum((part) => part.cutBytes)} bytes`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`);
  return [...lines, ...parts.flatMap(({ examples }) => examples.map((id) => `  ${id}\n`))].join('');
}

function victimRows(victim: Victim, rounds: readonly Round[]): readonly (readonly [string, string])[] {
  const killed = rounds.filter((round) => round.victim === victim);
  if (killed.length === 0) return [];
  const times = (values: readonly number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (share: number) => `${Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0)} ms`;
    return `p50 ${at(0.5)}, p95 ${at(0.95)}, longest ${at(1)}`;
  };
  return [
    [victim, `${killed.length} times, acknowledges after ${times(killed.map(({ backMs }) => backMs))}`],
    ['', `answers after ${times(killed.map(({ answeredMs }) => answeredMs))}`],
  ];
}
