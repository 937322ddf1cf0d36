import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parse as parseToml } from 'smol-toml';
import { parseDocument } from 'yaml';
import { OpenrayError } from '../errors.ts';
import { decodeText } from '../model/text-encoding.ts';
import type { SamParameters } from './sam-config.ts';

type SavedParameters = SamParameters['parameters'];

/**
 * Writes parameters into `[environment.command.parameters]` of a samconfig file, and creates the file when it does not
 * exist. Comments and all other keys stay as they are. Throws InvalidRequestException when the file cannot be edited.
 */
export function saveParameters(file: string, section: readonly string[], parameters: SavedParameters): void {
  try {
    const before = existsSync(file) ? decodeText(readFileSync(file)) : '';
    const after = file.endsWith('.toml')
      ? editToml(file, before, section, parameters)
      : editYaml(before, section, parameters);
    writeFileSync(file, after);
  } catch (cause) {
    if (cause instanceof OpenrayError) throw cause;
    const sentence = `--save-params cannot write ${file}: ${(cause as Error).message}`;
    throw new OpenrayError('InvalidRequestException', sentence, { cause });
  }
}

function editYaml(text: string, section: readonly string[], parameters: SavedParameters): string {
  const document = parseDocument(text);
  if (text.trim() === '') document.set('version', 0.1);
  for (const [key, value] of Object.entries(parameters)) document.setIn([...section, 'parameters', key], value);
  return document.toString();
}

function editToml(file: string, text: string, section: readonly string[], parameters: SavedParameters): string {
  const header = `[${[...section, 'parameters'].join('.')}]`;
  const lines = Object.entries(parameters).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const edited = editSection(text === '' ? 'version = 0.1\n' : text, header, parameters, lines);
  if (!isEdited(text, edited, section, parameters)) {
    const sentence = `${file} has a form that openray cannot edit; add these lines to ${header}: ${lines.join('; ')}`;
    throw new OpenrayError('InvalidRequestException', sentence);
  }
  return edited;
}

/** Replaces lines `key = …` of the section, and adds the others right below its header. */
function editSection(text: string, header: string, parameters: SavedParameters, added: readonly string[]): string {
  const lines = text.replace(/\n+$/, '').split('\n');
  const at = lines.findIndex((line) => line.trim() === header);
  if (at < 0) return [...lines, '', header, ...added, ''].join('\n');
  const next = lines.findIndex((line, index) => index > at && line.startsWith('['));
  const end = next < 0 ? lines.length : next;
  const keyOf = (line: string) => /^\s*([A-Za-z0-9_-]+)\s*=/.exec(line)?.[1] ?? '';
  const kept = lines.slice(at + 1, end).filter((line) => !Object.hasOwn(parameters, keyOf(line)));
  return [...lines.slice(0, at + 1), ...added, ...kept, ...lines.slice(end), ''].join('\n');
}

/** Whether `after` is `before` with the parameters, and nothing else changed: lines may be part of longer values. */
function isEdited(before: string, after: string, [environment = '', command = '']: readonly string[], added: object) {
  try {
    const expected = structuredClone(parseToml(before)) as Record<string, unknown>;
    if (before === '') expected.version = 0.1;
    const child = (parent: Record<string, unknown>, key: string) => {
      parent[key] ??= {};
      return parent[key] as Record<string, unknown>;
    };
    Object.assign(child(child(child(expected, environment), command), 'parameters'), added);
    return isDeepStrictEqual(plain(parseToml(after)), plain(expected));
  } catch {
    return false;
  }
}

/** Without prototypes, which the parser sets in its own way. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
