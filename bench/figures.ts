import { cpus, totalmem } from 'node:os';
import type { Bound, Figure } from './load/figure.ts';
import { type DatasetOptions, spanCountOf } from './load/generate.ts';

/** Facts that all figures of a run share. */
export type RunFacts = {
  readonly dataset: DatasetOptions;
  readonly machine: string;
  readonly commit: string;
  readonly date: string;
};

export function describeMachine(): string {
  const memoryGb = Math.round(totalmem() / 1e9);
  return `${cpus().length} cores (${process.arch}), ${memoryGb} GB, ${process.platform}, Node ${process.versions.node}`;
}

/** One line of JSON. */
export function jsonLine(figure: Figure, { dataset, machine, commit, date }: RunFacts): string {
  const ratio = figure.bare === undefined ? undefined : round(figure.value / figure.bare);
  const { seed, traceCount, serviceCount } = dataset;
  return JSON.stringify({
    ...figure,
    value: round(figure.value),
    ...(figure.bare !== undefined && { bare: round(figure.bare) }),
    ratio,
    dataset: { seed, traces: traceCount, spans: spanCountOf(traceCount), services: serviceCount },
    machine,
    commit,
    date,
  });
}

/** Figures of an earlier run, from the lines of `--json`. */
export type EarlierRun = { readonly spans: number; readonly values: ReadonlyMap<string, number> };

/** Reads the last run in a file of such lines. */
export function readEarlierRun(text: string): EarlierRun {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { name: string; value: number; date: string; dataset: { spans: number } });
  const last = lines.at(-1);
  if (last === undefined) throw new Error('the file has no figure');
  const ofRun = lines.filter(({ date }) => date === last.date);
  return { spans: last.dataset.spans, values: new Map(ofRun.map(({ name, value }) => [name, value])) };
}

/** Compares each figure with an earlier run on fewer spans. Leaves out shares, counts and rates of ingest. */
export function growthTable(figures: readonly Figure[], spans: number, earlier: EarlierRun): string {
  const rows = figures.flatMap(({ name, description, unit, value }) => {
    const before = earlier.values.get(name);
    if (before === undefined || unit === 'share' || unit === 'traces' || name.startsWith('ingest-')) return [];
    const times = (value / before).toLocaleString('en-US', { maximumSignificantDigits: 2 });
    return [[description, `${numberText(before)} ${unit}`, `${numberText(value)} ${unit}`, times]];
  });
  const count = (spans: number) => `${spans.toLocaleString('en-US')} spans`;
  const head = ['figure', count(earlier.spans), count(spans), 'times'];
  return [head, ['---', '---:', '---:', '---:'], ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const HEAD = ['figure', 'openray', 'bare engine', 'ratio', 'target'];

function cellsOf(figure: Figure): readonly string[] {
  const { value, bare, unit, target, ratioTarget, note } = figure;
  const ratio = bare === undefined ? undefined : value / bare;
  const targets = [
    target && `${boundText(target)} ${meets(value, target)}`,
    ratioTarget && `ratio ${boundText(ratioTarget)} ${meets(ratio ?? Number.NaN, ratioTarget)}`,
  ];
  return [
    note === undefined ? figure.description : `${figure.description} (${note})`,
    `${numberText(value)} ${unit}`,
    bare === undefined ? '' : numberText(bare),
    ratio === undefined ? '' : ratio.toLocaleString('en-US', { maximumSignificantDigits: 2 }),
    targets.filter((text) => text !== undefined).join(', '),
  ];
}

const boundText = (bound: Bound) =>
  'atLeast' in bound ? `≥ ${numberText(bound.atLeast)}` : `≤ ${numberText(bound.atMost)}`;

const meets = (value: number, bound: Bound) =>
  ('atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost) ? '✓' : '✗';

function numberText(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: value >= 1000 ? 4 : 3 });
}

/** Five significant digits; further digits are noise. */
const round = (value: number) => Number(value.toPrecision(5));

/** A table with aligned columns for a terminal. */
export function textTable(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
      )
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

export function markdownTable(figures: readonly Figure[]): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  return [line(HEAD), '|---|---:|---:|---:|---|', ...figures.map((figure) => line(cellsOf(figure)))].join('\n');
}
