import type { Logger } from 'pino';

/** The process that the server runs in. */
export type ServerProcess = {
  readonly log: Logger;
  readonly version: string;
  /** Environment variables of the process: functions get PATH and those that their template declares. */
  readonly environmentVariables: Readonly<Record<string, string | undefined>>;
};
