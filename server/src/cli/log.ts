import { type Logger, pino } from 'pino';

/** Lines go to stderr, so that stdout holds only what a command answers. */
export function newLog(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }));
}
