import { promisify } from 'node:util';
import zlib from 'node:zlib';

type Options = { readonly maxOutputLength: number };

/** Node has it from 22.15 on. Node 22's takes a frame that is cut off for a whole one, and returns what it has read. */
const { zstdDecompress: native, zstdDecompressSync: nativeSync } = zlib as {
  zstdDecompress?: typeof zlib.gunzip;
  zstdDecompressSync?: typeof zlib.gunzipSync;
};
const nativeUnzstd = native && refusesCutOffFrame() ? promisify<Buffer, Options, Buffer>(native) : undefined;

function refusesCutOffFrame(): boolean {
  const emptyFrame = Buffer.from('28b52ffd2000010000', 'hex');
  try {
    nativeSync?.(emptyFrame.subarray(0, -1));
    return false;
  } catch {
    return true;
  }
}

/**
 * Decompresses Zstandard. Rejects with the code ERR_BUFFER_TOO_LARGE, as Node's own functions do, when the result is
 * longer than `maxOutputLength`.
 */
export function unzstd(body: Buffer, options: Options): Promise<Buffer> {
  return (nativeUnzstd ?? libraryUnzstd)(body, options);
}

/** WebAssembly that is loaded at the first call. Reads one frame; a body of several is refused as invalid. */
export async function libraryUnzstd(body: Buffer, { maxOutputLength }: Options): Promise<Buffer> {
  const { decompress } = await loaded();
  try {
    // The library allocates the announced size before it reads the data.
    if ((announcedZstdSize(body) ?? 0) > maxOutputLength) throw tooLarge();
    return Buffer.from(decompress(body, { defaultHeapSize: maxOutputLength }).buffer);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw cause;
    throw message.endsWith(OUTPUT_TOO_SMALL) ? tooLarge() : new Error('it is not one complete frame', { cause });
  }
}

/** The end of the library's message; the number is ZSTD_error_dstSize_tooSmall. */
const OUTPUT_TOO_SMALL = ' -70';

let library: Promise<typeof import('@bokuweb/zstd-wasm')> | undefined;

function loaded(): Promise<typeof import('@bokuweb/zstd-wasm')> {
  library ??= import('@bokuweb/zstd-wasm').then(async (module) => {
    await module.init();
    return module;
  });
  return library;
}

/**
 * Size after decompression by the header of the first frame; undefined when the header has none.
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1
 */
export function announcedZstdSize(body: Buffer): number | undefined {
  const descriptor = body.readUInt8(4);
  const isSingleSegment = (descriptor & 32) !== 0;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes;
  switch (descriptor >>> 6) {
    case 0:
      return isSingleSegment ? body.readUInt8(at) : undefined;
    case 1:
      return body.readUInt16LE(at) + 256;
    case 2:
      return body.readUInt32LE(at);
    default:
      return Number(body.readBigUInt64LE(at));
  }
}

function tooLarge(): Error {
  return Object.assign(new Error('the data is larger than the bound'), { code: 'ERR_BUFFER_TOO_LARGE' });
}
