import { existsSync, readFileSync, statSync } from 'node:fs';
import { OpenrayError } from '../errors.ts';
import { decodeText } from '../model/text-encoding.ts';

/**
 * The event of a command line. `--event` is the path of an existing file, `-` for stdin, or JSON text: SAM's local
 * command takes a file, its remote command takes JSON. `--event-file` is always a path or `-`. Without either flag, and
 * with `--no-event` (`event` is false), the event is `{}`. Files may have any encoding of `decodeText`.
 */
export function readEvent({
  event,
  eventFile,
}: {
  event?: string | false | undefined;
  eventFile?: string | undefined;
}): Buffer {
  if (event !== undefined && event !== false && eventFile !== undefined) {
    throw new OpenrayError(
      'InvalidRequestException',
      'give the event with --event or with --event-file, not with both',
    );
  }
  if (event === '' || eventFile === '') {
    const sentence = event === '' ? '--event is empty: give a file, - for stdin, or JSON' : '--event-file is empty';
    throw new OpenrayError('InvalidRequestException', sentence);
  }
  if (eventFile !== undefined) return readFile(eventFile);
  if (event === undefined || event === false) return Buffer.from('{}');
  if (event === '-' || (existsSync(event) && statSync(event).isFile())) return readFile(event);
  if (isJson(event)) return Buffer.from(event);
  throw new OpenrayError(
    'InvalidRequestException',
    `--event: there is no file ${event.slice(0, 200)}, and it is not JSON`,
  );
}

function readFile(file: string): Buffer {
  try {
    return Buffer.from(decodeText(readFileSync(file === '-' ? 0 : file)));
  } catch (cause) {
    throw new OpenrayError('InvalidRequestException', `the event file ${file} cannot be read`, { cause });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
