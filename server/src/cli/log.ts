import { type Logger, pino } from 'pino';

/** Log lines go to stderr, so that stdout holds only the output of the command. */
export function newLog(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }));
}
