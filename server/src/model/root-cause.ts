export type RootCauseException = { readonly name: string; readonly message: string };

/**
 * One entity on the path to the root cause. `coverage` (response time only) is its duration over the root's, 0 to 1.
 */
export type RootCauseEntity = {
  readonly name: string;
  readonly isRemote: boolean;
  readonly exceptions: readonly RootCauseException[];
  readonly coverage: number | undefined;
};

export type RootCauseService = {
  readonly name: string;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
  readonly isInferred: boolean;
  readonly entityPath: readonly RootCauseEntity[];
};

/** Services from the outermost one to the one with the root cause. */
export type RootCause = { readonly services: readonly RootCauseService[]; readonly isClientImpacting: boolean };

export type RootCauses = {
  readonly fault: readonly RootCause[];
  readonly error: readonly RootCause[];
  readonly responseTime: readonly RootCause[];
};
