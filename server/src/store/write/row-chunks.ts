/**
 * Rows in chunks of one size, which are used again: a buffer that grows leaves its earlier sizes to the garbage collector,
 * which frees them only with the whole heap. Seen under load: 230 MB of buffers for 60 MB of rows.
 */
export type RowChunks = {
  /** In order; rows of one `addRows` are in one chunk. */
  readonly chunks: { readonly bytes: Buffer; length: number }[];
  /** Sum of their lengths. */
  length: number;
};

/** Chunks that are not in use, until the next collection of all garbage: an idle server returns their memory. */
export type ChunkPool = {
  /** Of `CHUNK_BYTES`, or of the given size if it is larger. */
  take(bytes: number): Buffer;
  give(chunk: Buffer): void;
};

/** Pages of a chunk that no row has reached take no memory. */
export const CHUNK_BYTES = 4 * 1024 * 1024;
/** About a full block. */
const MAX_SPARE_CHUNKS = 8;

export function newChunkPool(): ChunkPool {
  const spares: WeakRef<Buffer>[] = [];
  return {
    take(bytes) {
      while (bytes <= CHUNK_BYTES && spares.length > 0) {
        const chunk = spares.pop()?.deref();
        if (chunk !== undefined) return chunk;
      }
      return newChunk(Math.max(bytes, CHUNK_BYTES));
    },
    give(chunk) {
      if (chunk.length === CHUNK_BYTES && spares.length < MAX_SPARE_CHUNKS) spares.push(new WeakRef(chunk));
      else (chunk.buffer as ShrinkingBuffer).resize(0);
    },
  };
}

/**
 * A buffer that can shrink has pages of its own, which the system gets back at once. glibc's memory is full of holes
 * after a queue of chunks, and keeps them: 150 MB were seen.
 */
const newChunk = (bytes: number): Buffer => Buffer.from(new ShrinkingBuffer(bytes, { maxByteLength: bytes }), 0, bytes);

/** Node 20 has it; the types of ES2023 do not. */
type ShrinkingBuffer = ArrayBuffer & { resize(bytes: number): void };
const ShrinkingBuffer = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ShrinkingBuffer;

export const newRowChunks = (): RowChunks => ({ chunks: [], length: 0 });

/** Copies the rows and returns the copy, which is valid until they are cut back. */
export function addRows(target: RowChunks, rows: Uint8Array, pool: ChunkPool): Uint8Array {
  if (rows.length === 0) return rows;
  let last = target.chunks.at(-1);
  if (last === undefined || last.bytes.length - last.length < rows.length) {
    last = { bytes: pool.take(rows.length), length: 0 };
    target.chunks.push(last);
  }
  const start = last.length;
  last.bytes.set(rows, start);
  last.length += rows.length;
  target.length += rows.length;
  return last.bytes.subarray(start, last.length);
}

/** Removes the rows that were added last, down to `length` bytes, which the chunks had after some `addRows`. */
export function cutRowsBack(target: RowChunks, length: number, pool: ChunkPool): void {
  for (let last = target.chunks.at(-1); last !== undefined && target.length > length; last = target.chunks.at(-1)) {
    const removed = Math.min(last.length, target.length - length);
    last.length -= removed;
    target.length -= removed;
    if (last.length > 0) return;
    pool.give(last.bytes);
    target.chunks.pop();
  }
}

export const partsOf = ({ chunks }: RowChunks): readonly Uint8Array[] =>
  chunks.map(({ bytes, length }) => bytes.subarray(0, length));
