import { type EntityId, formatTraceId, readEntityId, readTraceId, type TraceId } from '../model/trace-id.ts';

/** `X-Amzn-Trace-Id`, as far as it could be read. */
export type TraceHeader = {
  readonly root: TraceId | undefined;
  readonly parent: EntityId | undefined;
  /** `ask`: the sender wants the receiver to decide and to tell. */
  readonly sampled: boolean | 'ask' | undefined;
  /** Other fields as `key=value`, in order: passed on untouched. */
  readonly extras: readonly string[];
};

const EXTRAS_MAX_CHARS = 256;

/** Never fails: a field that can't be read counts as absent. Keys are read in any case, blanks around fields dropped. */
export function parseTraceHeader(text: string): TraceHeader {
  let root: TraceId | undefined;
  let parent: EntityId | undefined;
  let sampled: TraceHeader['sampled'];
  const extras: string[] = [];
  let extraChars = 0;
  for (const field of text.split(';')) {
    const equals = field.indexOf('=');
    if (equals < 0) continue;
    const key = field.slice(0, equals).trim();
    const value = field.slice(equals + 1).trim();
    switch (key.toLowerCase()) {
      case 'root':
        root ??= readTraceId(value);
        break;
      case 'parent':
        parent ??= readEntityId(value);
        break;
      case 'sampled':
        sampled ??= value === '1' ? true : value === '0' ? false : value === '?' ? 'ask' : undefined;
        break;
      default:
        extraChars += key.length + value.length;
        if (key !== '' && extraChars <= EXTRAS_MAX_CHARS) extras.push(`${key}=${value}`);
    }
  }
  return { root, parent, sampled, extras };
}

/** `Root;Parent;Sampled` and the extras behind them; a field that is absent is left out. */
export function formatTraceHeader({ root, parent, sampled, extras }: TraceHeader): string {
  return [
    ...(root === undefined ? [] : [`Root=${formatTraceId(root)}`]),
    ...(parent === undefined ? [] : [`Parent=${parent}`]),
    ...(sampled === undefined ? [] : [`Sampled=${sampled === 'ask' ? '?' : sampled ? '1' : '0'}`]),
    ...extras,
  ].join(';');
}
