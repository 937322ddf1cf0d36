import type { Readable } from 'node:stream';

/**
 * The body of a response in JSONEachRow, in pieces of whole lines. If a query fails halfway, ClickHouse writes the
 * failure into the body, after a carriage return, which JSON never contains, and may close the connection. The failure
 * is thrown as an Error with that text.
 */
export async function* readResponse(body: Readable): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let hasFailed = false;
  try {
    for await (const chunk of body) {
      const text = decoder.decode(chunk, { stream: true });
      rest += text;
      hasFailed ||= text.includes('\r');
      const end = hasFailed ? 0 : rest.lastIndexOf('\n') + 1;
      if (end === 0) continue;
      yield rest.slice(0, end);
      rest = rest.slice(end);
    }
  } catch (cause) {
    if (hasFailed) throw new Error(failureIn(rest), { cause });
    throw cause;
  }
  if (rest !== '') throw new Error(hasFailed ? failureIn(rest) : 'the response was cut short');
}

const failureIn = (text: string): string => text.slice(text.indexOf('\r')).trim();
