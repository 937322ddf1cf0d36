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
};

/** The figures of one server. */
export type Measured = { readonly name: string; readonly figures: readonly PeerFigure[] };

/**
 * One row a figure: the value of each server, and how the first server compares with the best of the others. A ratio
 * above 1 is good for the first server. A server with a wrong answer is not compared.
 */
export function comparison(servers: readonly Measured[]): string {
  const [first, ...others] = servers;
  if (first === undefined) return '';
  const head = ['figure', ...servers.map(({ name }) => name), `${first.name} beside the best of the others`];
  const rows = first.figures.map((figure) => {
    const same = servers.map(({ figures }) => figures.find(({ name }) => name === figure.name));
    return [
      `${figure.description}, ${figure.unit}`,
      ...same.map(cellOf),
      ratioCell(figure, named(others, figure.name)),
    ];
  });
  const reasons = servers.flatMap(({ name, figures }) =>
    figures.flatMap(({ description, wrong, reason }) =>
      reason === undefined ? [] : [`${name}: ${description}: ${wrong} answers were not right: ${reason}`],
    ),
  );
  return [table([head, ...rows]), ...reasons].join('\n');
}

type Named = { readonly name: string; readonly figure: PeerFigure };

const named = (servers: readonly Measured[], figureName: string): readonly Named[] =>
  servers.flatMap(({ name, figures }) => {
    const figure = figures.find((one) => one.name === figureName);
    return figure === undefined ? [] : [{ name, figure }];
  });

function ratioCell(figure: PeerFigure, others: readonly Named[]): string {
  const right = others.filter((other) => other.figure.wrong === undefined);
  const [best] = right.toSorted((a, b) => ratioOf(figure, a.figure) - ratioOf(figure, b.figure));
  if (best === undefined || figure.wrong !== undefined || figure.better === 'neither') return '';
  return `${numberText(ratioOf(figure, best.figure))} × ${best.name}`;
}

/** How many times better `figure` is than `other`. */
export function ratioOf(figure: PeerFigure, other: PeerFigure): number {
  return figure.better === 'more' ? figure.value / other.value : other.value / figure.value;
}

function cellOf(figure: PeerFigure | undefined): string {
  if (figure === undefined) return '–';
  return figure.wrong === undefined ? numberText(figure.value) : `${numberText(figure.value)} (wrong)`;
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
