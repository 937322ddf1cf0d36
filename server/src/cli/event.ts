import { existsSync, readFileSync, statSync } from 'node:fs';
import { OpenrayError } from '../errors.ts';

/**
 * The event that a command line names. `--event` is a file where one of that name exists, `-` for stdin, else JSON:
 * SAM's local command wants the first, its remote one the last. `--event-file` is always a file, or `-`. Without either
 * the event is `{}`.
 */
export function readEvent({
  event,
  eventFile,
}: {
  event?: string | undefined;
  eventFile?: string | undefined;
}): Buffer {
  if (event !== undefined && eventFile !== undefined) {
    throw new OpenrayError(
      'InvalidRequestException',
      'give the event with --event or with --event-file, not with both',
    );
  }
  if (eventFile !== undefined) return readFile(eventFile);
  if (event === undefined) return Buffer.from('{}');
  if (event === '-' || (existsSync(event) && statSync(event).isFile())) return readFile(event);
  if (isJson(event)) return Buffer.from(event);
  throw new OpenrayError(
    'InvalidRequestException',
    `--event: there is no file ${event.slice(0, 200)}, and it is no JSON`,
  );
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    throw new OpenrayError('InvalidRequestException', `the event file ${file} can not be read`, { cause });
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
