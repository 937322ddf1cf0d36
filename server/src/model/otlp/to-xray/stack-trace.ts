import type { StackFrame } from '../../entity.ts';

/** One exception of a printed chain of exceptions. */
export type PrintedException = {
  readonly type: string | undefined;
  readonly message: string | undefined;
  readonly stack: readonly StackFrame[];
};

/** Maximum of frames per exception: the frames of an endless recursion are alike. */
const MAX_FRAMES = 500;

/**
 * The exception of a printed stack trace, then its causes, each the cause of the one before. `language` is
 * OpenTelemetry's name; without it the format of the lines decides. Frames are ordered as in X-Ray, from the throwing
 * function outwards.
 */
export function parseStackTrace(text: string, language: string | undefined): readonly PrintedException[] {
  const lines = text.split(/\r?\n/);
  switch (language) {
    case 'python':
      return parsePython(lines);
    case 'go':
      return [{ type: undefined, message: undefined, stack: goFrames(lines) }];
    case undefined:
      if (lines.some((line) => PYTHON_FRAME.test(line))) return parsePython(lines);
      if (lines.some((line) => GO_LOCATION.test(line))) return parseStackTrace(text, 'go');
      return parseAtLines(lines);
    default:
      return parseAtLines(lines);
  }
}

const CAUSE = /^\s*(?:Caused by|\[cause\]):\s+(.*?)\s*\{?$/;

/** Java, JavaScript, .NET and PHP: each frame is a line that begins with `at`. */
function parseAtLines(lines: readonly string[]): readonly PrintedException[] {
  const found: { title: string; stack: StackFrame[] }[] = [{ title: lines[0] ?? '', stack: [] }];
  for (const line of lines) {
    const cause = CAUSE.exec(line);
    if (cause !== null) {
      found.push({ title: cause[1] ?? '', stack: [] });
      continue;
    }
    const frame = atFrame(line);
    const { stack } = found.at(-1) as { stack: StackFrame[] };
    if (frame !== undefined && stack.length < MAX_FRAMES) stack.push(frame);
  }
  return found.map(({ title, stack }) => ({ ...titleOf(title), stack }));
}

/**
 * `at label (location)`, `at location`, or .NET's `at label in path:line 7`. Node opens a brace after the last frame of
 * an error that has members.
 */
function atFrame(line: string): StackFrame | undefined {
  const [, frame] = /^\s*at\s+(.*?\S)(?: \{)?\s*$/.exec(line) ?? [];
  if (frame === undefined) return undefined;
  const [, dotnetLabel, dotnetPath, dotnetLine] = /^(.+) in (.+):line (\d+)$/.exec(frame) ?? [];
  if (dotnetLabel !== undefined) return frameOf(dotnetLabel, dotnetPath, dotnetLine);
  const open = frame.endsWith(')') ? openingOf(frame) : -1;
  if (open < 0) return isLocation(frame) ? locatedFrame(undefined, frame) : frameOf(frame, undefined, undefined);
  return locatedFrame(frame.slice(0, open).trim() || undefined, frame.slice(open + 1, -1));
}

/**
 * Offset of the bracket that the last character closes. A location may contain brackets, such as those of `eval at`.
 */
function openingOf(frame: string): number {
  let depth = 0;
  for (let at = frame.length - 1; at >= 0; at--) {
    if (frame[at] === ')') depth++;
    else if (frame[at] === '(' && --depth === 0) return at;
  }
  return -1;
}

function isLocation(text: string): boolean {
  return /:\d+$/.test(text) || text === '<anonymous>' || text === 'native';
}

/** Line and column are the last two groups of digits. The path may contain colons, such as those of URLs and drives. */
function locatedFrame(label: string | undefined, location: string): StackFrame {
  const [, path, line] = /^(.*?):(\d+)(?::\d+)?$/.exec(location) ?? [];
  return frameOf(label, path ?? location, line);
}

function frameOf(label: string | undefined, path: string | undefined, line: string | undefined): StackFrame {
  return {
    ...(path !== undefined && path !== '' && { path }),
    ...(line !== undefined && { line: Number(line) }),
    ...(label !== undefined && { label }),
  };
}

/** Parses `Type: message`. A type has no blanks. */
function titleOf(title: string): { readonly type: string | undefined; readonly message: string | undefined } {
  const [, type, message] = /^(?:Uncaught\s+)?([\w$.]+)(?:\s+\[[^\]]*\])?(?::\s*(.*))?$/.exec(title.trim()) ?? [];
  return { type, message };
}

const PYTHON_FRAME = /^\s*File "(.*)", line (\d+)(?:, in (.*))?$/;
const PYTHON_TITLE = /^([\w.]+)(?::\s*(.*))?$/;

/** Blocks of `File …` lines, each with the exception at its end. The exception that was raised last is the last. */
function parsePython(lines: readonly string[]): readonly PrintedException[] {
  const blocks: PrintedException[] = [];
  let stack: StackFrame[] = [];
  for (const line of lines) {
    const frame = PYTHON_FRAME.exec(line);
    if (frame !== null) {
      stack.unshift(frameOf(frame[3], frame[1], frame[2]));
      continue;
    }
    const title = stack.length > 0 ? PYTHON_TITLE.exec(line) : null;
    if (title === null) continue;
    blocks.unshift({ type: title[1], message: title[2], stack: stack.slice(0, MAX_FRAMES) });
    stack = [];
  }
  if (stack.length > 0) blocks.unshift({ type: undefined, message: undefined, stack: stack.slice(0, MAX_FRAMES) });
  return blocks.length > 0 ? blocks : [{ type: undefined, message: undefined, stack: [] }];
}

const GO_LOCATION = /^\t(.+):(\d+)(?: \+0x[0-9a-f]+)?$/;

/** Each frame has a line with the function, then one with its location. */
function goFrames(lines: readonly string[]): readonly StackFrame[] {
  const frames: StackFrame[] = [];
  for (const [index, line] of lines.entries()) {
    const [, path, number] = GO_LOCATION.exec(line) ?? [];
    if (path !== undefined && frames.length < MAX_FRAMES) frames.push(frameOf(lines[index - 1]?.trim(), path, number));
  }
  return frames;
}
