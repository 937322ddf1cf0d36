/** A sampling rule of the X-Ray API. `reservoirSize` is traces a second over all hosts, `fixedRate` 0 to 1. */
export type SamplingRule = {
  readonly ruleName: string;
  readonly priority: number;
  readonly fixedRate: number;
  readonly reservoirSize: number;
  readonly serviceName: string;
  readonly serviceType: string;
  readonly host: string;
  readonly httpMethod: string;
  readonly urlPath: string;
  readonly resourceArn: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdUs: number;
  readonly modifiedUs: number;
};

/** The rule that every store has: one trace a second, then five percent. */
export const DEFAULT_RULE: SamplingRule = {
  ruleName: 'Default',
  priority: 10_000,
  fixedRate: 0.05,
  reservoirSize: 1,
  serviceName: '*',
  serviceType: '*',
  host: '*',
  httpMethod: '*',
  urlPath: '*',
  resourceArn: '*',
  attributes: {},
  createdUs: 0,
  modifiedUs: 0,
};
