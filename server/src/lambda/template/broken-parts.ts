import { OpenrayError } from '../../errors.ts';

/**
 * Result of `read`; `fallback` when that part of the template is broken, so that the rest runs. `onBroken` gets the
 * reason, without a full stop.
 */
export function readPart<T>(read: () => T, fallback: T, onBroken: (reason: string) => void): T {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof OpenrayError) || thrown.code !== 'SettingInvalid') throw thrown;
    onBroken(thrown.message);
    return fallback;
  }
}
