import { OpenrayError } from '../errors.ts';

/** Bodies as they arrive; the same after decompression; objects that a decoder makes of them. */
export const MEMORY_OWNERS = ['bodies', 'decompressed', 'decoded'] as const;
export type MemoryOwner = (typeof MEMORY_OWNERS)[number];

/** The memory of one request, until `release`. */
export type RequestMemory = {
  /**
   * Call before the bytes are allocated. A negative number returns a part of what was reserved.
   * Throws RequestTooLargeException when the request alone exceeds the budget, ThrottledException when the budget is
   * used up, RequestCancelled after `release`. Keeps what was reserved before.
   */
  reserve(owner: MemoryOwner, bytes: number): void;
  /** Later calls have no effect. */
  release(): void;
};

/** One bound for all requests of all receivers. */
export type MemoryBudget = {
  readonly maxBytes: number;
  open(): RequestMemory;
  /** Whether this much could be reserved now. */
  hasRoom(owner: MemoryOwner, bytes: number): boolean;
  used(): Readonly<Record<MemoryOwner, number>>;
};

/**
 * Bytes of decoded objects for each byte of a request without compression. Measured on the heap: 4.2 for OTLP in protobuf
 * with 11 attributes a span, 3.6 for segment documents, 2.3 for OTLP in JSON. The rest is text, and garbage that is not
 * collected yet.
 */
export const DECODED_BYTES_PER_BYTE = 6;

/** Bodies that still arrive leave room for decoding: otherwise bodies of slow senders could block each other. */
const BODIES_SHARE = 0.5;

export function newMemoryBudget(maxBytes: number): MemoryBudget {
  const used: Record<MemoryOwner, number> = { bodies: 0, decompressed: 0, decoded: 0 };
  const maxBodyBytes = Math.floor(maxBytes * BODIES_SHARE);

  function hasRoom(owner: MemoryOwner, bytes: number): boolean {
    const total = used.bodies + used.decompressed + used.decoded;
    return total + bytes <= maxBytes && (owner !== 'bodies' || used.bodies + bytes <= maxBodyBytes);
  }

  function open(): RequestMemory {
    const held: Record<MemoryOwner, number> = { bodies: 0, decompressed: 0, decoded: 0 };
    let isReleased = false;
    return {
      reserve(owner, bytes) {
        if (isReleased) throw new OpenrayError('RequestCancelled', 'the request has ended');
        const own = held.bodies + held.decompressed + held.decoded;
        if (own + bytes > maxBytes || (owner === 'bodies' && held.bodies + bytes > maxBodyBytes)) throw tooLarge();
        if (!hasRoom(owner, bytes)) throw usedUp();
        held[owner] += bytes;
        used[owner] += bytes;
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        for (const owner of MEMORY_OWNERS) used[owner] -= held[owner];
      },
    };
  }

  return { maxBytes, open, hasRoom, used: () => ({ ...used }) };
}

function tooLarge(): OpenrayError {
  return new OpenrayError(
    'RequestTooLargeException',
    'the request needs more memory than the setting memoryMaxBytes leaves for requests; send smaller requests',
  );
}

function usedUp(): OpenrayError {
  return new OpenrayError('ThrottledException', 'requests in flight use all memory that the server has for them', {
    retryAfterSeconds: 1,
  });
}
