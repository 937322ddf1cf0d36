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
    case 'ruby':
      return parseRuby(lines);
    case undefined:
      if (lines.some((line) => PYTHON_FRAME.test(line))) return parsePython(lines);
      if (lines.some((line) => GO_LOCATION.test(line))) return parseStackTrace(text, 'go');
      if (lines.some((line) => rubyLine(line) !== undefined)) return parseRuby(lines);
      return parseAtLines(lines);
    case 'dotnet':
      return parseAtLines(lines, dotnetFrame);
    default:
      return parseAtLines(lines);
  }
}

const CAUSE = /^\s*(?:Caused by|\[cause\]):\s+(.*?)\s*\{?$/;

/** Java, JavaScript, .NET and PHP: each frame is a line that begins with `at`. */
function parseAtLines(lines: readonly string[], frameIn = atFrame): readonly PrintedException[] {
  if (lines.some((line) => DOTNET_END_OF_INNER.test(line) || DOTNET_INNER.test(line))) return parseDotnet(lines);
  const found: { title: string; stack: StackFrame[] }[] = [{ title: lines[0] ?? '', stack: [] }];
  for (const line of lines) {
    const cause = CAUSE.exec(line);
    if (cause !== null) {
      found.push({ title: cause[1] ?? '', stack: [] });
      continue;
    }
    const frame = frameIn(line);
    const { stack } = found.at(-1) as { stack: StackFrame[] };
    if (frame !== undefined && stack.length < MAX_FRAMES) stack.push(frame);
  }
  return found.map(({ title, stack }) => ({ ...titleOf(title), stack }));
}

const DOTNET_INNER = /^ ---> (.*)$/;
const DOTNET_END_OF_INNER = /^\s*--- End of inner exception stack trace ---/;
/** The first exception of an aggregate is printed as its cause, then all are printed by number. */
const DOTNET_NUMBERED = /^\(Inner Exception #(\d+)\) (.*)$/;
/** .NET Framework prints all titles in the first line. */
const DOTNET_TITLES = / ---> (?=[\w.]+(?: \([^)]*\))?: )/;

/**
 * .NET prints the titles of an exception and its inner exceptions first, then the frames of the innermost one, up to
 * the frames of the outermost one.
 */
function parseDotnet(lines: readonly string[]): readonly PrintedException[] {
  const found: { title: string; stack: StackFrame[] }[] = [];
  const open: { title: string; stack: StackFrame[] }[] = [];
  const add = (title: string, isKept = true) => {
    const exception = { title, stack: [] };
    open.push(exception);
    if (isKept) found.push(exception);
  };
  for (const title of (lines[0] ?? '').split(DOTNET_TITLES)) add(title);
  for (const line of lines.slice(1)) {
    const [, inner] = DOTNET_INNER.exec(line) ?? [];
    if (inner !== undefined) {
      const [, number, title] = DOTNET_NUMBERED.exec(inner) ?? [];
      add(title ?? inner, number !== '0');
      continue;
    }
    const frame = dotnetFrame(line.replace(/<---$/, ''));
    const stack = open.at(-1)?.stack;
    if (frame !== undefined && stack !== undefined && stack.length < MAX_FRAMES) stack.push(frame);
    const isEnd = DOTNET_END_OF_INNER.test(line) || line.endsWith('<---');
    if (isEnd && open.length > 1) open.pop();
  }
  return found.map(({ title, stack }) => ({ ...titleOf(title), stack }));
}

/** `path:7:in 'label'`, with `from` in front of all but the first frame. After the first frame the error follows. */
const RUBY_LINE = /^\s*(?:from )?([^\s][^\n]*?):(\d+):in [`']([^'`]*)'([^\n]*)$/;

function rubyLine(line: string): { readonly frame: StackFrame; readonly rest: string } | undefined {
  const [, path, number, label, rest = ''] = RUBY_LINE.exec(line) ?? [];
  return path === undefined || !(rest === '' || rest.startsWith(': '))
    ? undefined
    : { frame: frameOf(label, path, number), rest };
}

/** Each exception has a line with its first frame, message and type, then a line for each other frame. */
function parseRuby(lines: readonly string[]): readonly PrintedException[] {
  const found: { type: string | undefined; message: string | undefined; stack: StackFrame[] }[] = [];
  for (const line of lines) {
    const read = rubyLine(line);
    if (read === undefined) continue;
    if (read.rest !== '' || found.length === 0) found.push({ ...rubyTitle(read.rest), stack: [] });
    const { stack } = found.at(-1) as { stack: StackFrame[] };
    if (stack.length < MAX_FRAMES) stack.push(read.frame);
  }
  return found.length > 0 ? found : [{ type: undefined, message: undefined, stack: [] }];
}

/** `: message (Type)`. The type is missing where the message has several lines. */
function rubyTitle(rest: string): { readonly type: string | undefined; readonly message: string | undefined } {
  const message = rest.slice(2);
  const open = message.lastIndexOf(' (');
  const type = message.endsWith(')') && open >= 0 ? message.slice(open + 2, -1) : '';
  if (/^[A-Z][\w:]*$/.test(type)) return { type, message: message.slice(0, open) };
  return { type: undefined, message: message === '' ? undefined : message };
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

/** Without a file, what stands in the brackets of .NET are parameters. */
function dotnetFrame(line: string): StackFrame | undefined {
  const frame = atFrame(line);
  if (frame?.path === undefined || frame.line !== undefined) return frame;
  return frameOf(`${frame.label ?? ''}(${frame.path})`, undefined, undefined);
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

/** Parses `Type: message`, also with a code behind the type: `SocketException (111): refused`. A type has no blanks. */
function titleOf(title: string): { readonly type: string | undefined; readonly message: string | undefined } {
  const [, type, message] =
    /^(?:Uncaught\s+)?([\w$.`+]+)(?:\s+(?:\[[^\]]*\]|\([^)]*\)))?(?::\s*(.*))?$/.exec(title.trim()) ?? [];
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
