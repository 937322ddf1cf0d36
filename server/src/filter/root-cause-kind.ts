export type RootCauseKind = 'fault' | 'error' | 'responsetime';
export type RootCauseLevel = 'service' | 'entity' | 'exception';

export const ROOT_CAUSE_LEVELS: Readonly<Record<RootCauseKind, readonly RootCauseLevel[]>> = {
  fault: ['service', 'entity', 'exception'],
  error: ['service', 'entity', 'exception'],
  responsetime: ['service', 'entity'],
};
