import { StringDecoder } from 'node:string_decoder';

/** CloudWatch's limit for one log event. A longer line is split into several. */
const LINE_MAX_CHARS = 256 * 1024;

export type LineSplitter = {
  readonly write: (chunk: Buffer) => void;
  /** Emits the rest, which has no line end yet. */
  readonly flush: () => void;
};

/**
 * Splits the output of a process into lines, in order and without line ends. Lambda's runtimes write a carriage return
 * for a line break inside a record, so that the record is one line; the carriage return becomes a line break again.
 */
export function newLineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const emit = (line: string) => {
    const end = line.endsWith('\r') ? -1 : line.length;
    onLine(line.slice(0, end).replaceAll('\r', '\n'));
  };
  const push = (text: string) => {
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
    write: (chunk) => push(decoder.write(chunk)),
    flush() {
      push(decoder.end());
      if (rest !== '') emit(rest);
      rest = '';
    },
  };
}
