/** A figure as the load generator prints it. */
export type PeerFigure = {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly value: number;
  /** `neither` where servers cannot be compared by it. */
  readonly better: 'less' | 'more' | 'neither';
  /** Answers that were not right, and why the first was not. */
  readonly wrong?: number;
  readonly reason?: string;
  /** Why the value is not that of a whole measurement, such as a server that did not become idle. */
  readonly note?: string;
};

/** The figures of one server; of a server that failed, the figures before its failure. */
export type Measured = {
  readonly name: string;
  readonly figures: readonly PeerFigure[];
  readonly failure?: string;
};

/**
 * One row a figure: the value of each server, and how the first server compares with the best of the others. A ratio
 * above 1 is good for the first server. A value of a wrong answer or with a note is not compared, nor is the first
 * server with another protocol, as `openray, X-Ray`.
 */
export function comparison(servers: readonly Measured[]): string {
  const [first, ...others] = servers;
  if (first === undefined) return '';
  const peers = others.filter(({ name }) => !name.startsWith(`${first.name},`));
  const head = ['figure', ...servers.map(({ name }) => name), `${first.name} beside the best of the others`];
  const rows = distinct(servers.flatMap(({ figures }) => figures)).map(({ name, description, unit }) => {
    const same = servers.map(({ figures }) => figures.find((figure) => figure.name === name));
    return [`${description}, ${unit}`, ...same.map(cellOf), ratioCell(same[0], named(peers, name))];
  });
  return [table([head, ...rows]), ...servers.flatMap(remarksOf)].join('\n');
}

/** The first figure of each name, in the order of their first appearance. */
function distinct(figures: readonly PeerFigure[]): readonly PeerFigure[] {
  const names = figures.map(({ name }) => name);
  return figures.filter(({ name }, index) => names.indexOf(name) === index);
}

/** Why values of a server are marked or missing. */
function remarksOf({ name, figures, failure }: Measured): readonly string[] {
  const remarks = figures.flatMap(({ description, wrong, reason, note }) => [
    ...(reason === undefined ? [] : [`${description}: ${wrong} answers were not right: ${reason}`]),
    ...(note === undefined ? [] : [`${description}: ${note}`]),
  ]);
  return [...remarks, ...(failure === undefined ? [] : [failure])].map((remark) => `${name}: ${remark}`);
}

type Named = { readonly name: string; readonly figure: PeerFigure };

const named = (servers: readonly Measured[], figureName: string): readonly Named[] =>
  servers.flatMap(({ name, figures }) => {
    const figure = figures.find((one) => one.name === figureName);
    return figure === undefined ? [] : [{ name, figure }];
  });

const isWhole = ({ wrong, note }: PeerFigure) => wrong === undefined && note === undefined;

function ratioCell(figure: PeerFigure | undefined, others: readonly Named[]): string {
  if (figure === undefined || !isWhole(figure) || figure.better === 'neither') return '';
  const right = others.filter((other) => isWhole(other.figure));
  const [best] = right.toSorted((a, b) => ratioOf(figure, a.figure) - ratioOf(figure, b.figure));
  return best === undefined ? '' : `${numberText(ratioOf(figure, best.figure))} × ${best.name}`;
}

/** How many times better `figure` is than `other`. */
export function ratioOf(figure: PeerFigure, other: PeerFigure): number {
  return figure.better === 'more' ? figure.value / other.value : other.value / figure.value;
}

function cellOf(figure: PeerFigure | undefined): string {
  if (figure === undefined) return '–';
  const marks = [...(figure.wrong === undefined ? [] : [' (wrong)']), ...(figure.note === undefined ? [] : [' (*)'])];
  return numberText(figure.value) + marks.join('');
}

const numberText = (value: number) =>
  value.toLocaleString('en-US', { maximumSignificantDigits: Math.abs(value) >= 1000 ? 4 : 3 });

/** Rows of Markdown, their columns aligned for a terminal. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const [head = [], ...rest] = rows;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rest.map(line)].join('\n');
}
