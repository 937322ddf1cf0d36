export type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** One measured value, with the bare engine's value for the same work where there is one. */
export type Figure = {
  /** Stable, for comparing runs: `ingest-http`. */
  readonly name: string;
  /** The work that was measured, for readers. */
  readonly description: string;
  readonly unit: 'spans/s' | 'ms' | 'MB' | 'bytes/span' | 'us/span' | 'traces' | 'share';
  readonly value: number;
  readonly bare?: number;
  readonly target?: Bound;
  /** Target of `value / bare`. */
  readonly ratioTarget?: Bound;
  /** Remark on this value. */
  readonly note?: string;
};
