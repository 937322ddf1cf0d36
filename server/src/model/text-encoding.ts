/**
 * Text of a file as tools of any platform write it: UTF-8 or UTF-16, with or without a byte order mark. Windows
 * PowerShell writes a mark, and UTF-16 when it redirects output. Bytes that are not valid become U+FFFD.
 */
export function decodeText(bytes: Uint8Array): string {
  // The decoder leaves the byte order mark out.
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  // A text in JSON or YAML begins with an ASCII character, of which UTF-16 has one byte that is zero.
  if (first !== undefined && first !== 0 && second === 0) return 'utf-16le';
  return first === 0 && second !== undefined && second !== 0 ? 'utf-16be' : 'utf-8';
}
