import { StringDecoder } from 'node:string_decoder';

/** As long as one log event of CloudWatch may be; what a function prints beyond it on one line becomes the next line. */
const LINE_MAX_CHARS = 256 * 1024;

export type LineSplitter = {
  readonly write: (chunk: Buffer) => void;
  /** Gives out what has no line end yet. */
  readonly flush: () => void;
};

/**
 * Bytes of a process to lines, in order, without their line ends. A carriage return inside a line is how Lambda's
 * runtimes keep a record of several lines together; it becomes the line break that it stands for.
 */
export function newLineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const emit = (line: string) => {
    const end = line.endsWith('\r') ? -1 : line.length;
    onLine(line.slice(0, end).replaceAll('\r', '\n'));
  };
  const take = (text: string) => {
    rest += text;
    let from = 0;
    for (;;) {
      const end = rest.indexOf('\n', from);
      if (end < 0) break;
      emit(rest.slice(from, end));
      from = end + 1;
    }
    rest = rest.slice(from);
    while (rest.length > LINE_MAX_CHARS) {
      emit(rest.slice(0, LINE_MAX_CHARS));
      rest = rest.slice(LINE_MAX_CHARS);
    }
  };
  return {
    write: (chunk) => take(decoder.write(chunk)),
    flush() {
      take(decoder.end());
      if (rest !== '') emit(rest);
      rest = '';
    },
  };
}
