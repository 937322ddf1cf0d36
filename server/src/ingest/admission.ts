import { OpenrayError } from '../errors.ts';
import { ADMISSION_SHARE } from '../store/admission-share.ts';

/** A request before its body is read, or before its message is decoded. */
export type ArrivingRequest = {
  /** Of its body as far as it is known; 0 for a body of unknown length. */
  readonly bytes: number;
  /** Of these, the bytes that are in memory while the request waits: none over HTTP, the message over gRPC. */
  readonly heldBytes: number;
  /** When the request is refused instead of waiting longer, in milliseconds since the epoch. */
  readonly waitsUntilMs: number;
  /** Whether the sender waits no longer. */
  isCancelled(): boolean;
  /** The last condition: called once the queue has room, and again until it reserves what the request needs besides. */
  reserveMemory?(): boolean;
};

/** Room of one request in the queue of the store, until `release`. */
export type AdmittedRequest = {
  /** Bytes that were not known at its admission, for example after decompression. Never refused. */
  expect(bytes: number): void;
  /** Call it once the rows are in the queue, or the request has failed. Later calls have no effect. */
  release(): void;
};

/** Decides for all receivers which requests are read: those whose rows fit into the queue of the store. */
export type Admission = {
  /**
   * Resolves once the queue has room, in the order of the calls. Throws ThrottledException at `waitsUntilMs`, or at once
   * if too many bytes wait in memory already; RequestCancelled.
   */
  admit(request: ArrivingRequest): Promise<AdmittedRequest>;
  /** For senders that do not wait: undefined while the queue has no room or other requests wait. */
  admitNow(bytes: number): AdmittedRequest | undefined;
};

export type AdmissionOptions = {
  /** Rows that wait for their insert, in bytes. */
  readonly queuedBytes: () => number;
  readonly queueMaxBytes: number;
  /** Bound of `heldBytes` of all requests that wait. */
  readonly heldMaxBytes: number;
};

/** Bytes of rows for each byte of a request: 3.7 for OTLP in protobuf with 11 attributes a span, less for JSON. */
const ROW_BYTES_PER_BYTE = 4;
/** The queue has room after an insert, which takes longer. */
const POLL_MS = 10;

type Waiting = ArrivingRequest & { admit(admitted: AdmittedRequest): void; refuse(reason: OpenrayError): void };

export function newAdmission({ queuedBytes, queueMaxBytes, heldMaxBytes }: AdmissionOptions): Admission {
  const maxBytes = queueMaxBytes * ADMISSION_SHARE;
  /** Rows that admitted requests will add to the queue. */
  let expectedBytes = 0;
  let heldBytes = 0;
  let waiting: Waiting[] = [];

  const hasRoom = () => queuedBytes() + expectedBytes < maxBytes;

  function enter(bytes: number): AdmittedRequest {
    let own = 0;
    let isReleased = false;
    const admitted: AdmittedRequest = {
      expect(more) {
        if (isReleased) return;
        own += more * ROW_BYTES_PER_BYTE;
        expectedBytes += more * ROW_BYTES_PER_BYTE;
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        expectedBytes -= own;
      },
    };
    admitted.expect(bytes);
    return admitted;
  }

  async function admit(request: ArrivingRequest): Promise<AdmittedRequest> {
    if (waiting.length === 0 && hasRoom() && request.reserveMemory?.() !== false) return enter(request.bytes);
    if (heldBytes + request.heldBytes > heldMaxBytes) throw queueFull();
    heldBytes += request.heldBytes;
    try {
      return await new Promise<AdmittedRequest>((resolve, reject) => {
        waiting.push({ ...request, admit: resolve, refuse: reject });
        if (waiting.length === 1) setTimeout(checkWaiting, POLL_MS);
      });
    } finally {
      heldBytes -= request.heldBytes;
    }
  }

  /** A request that waits for memory does not delay the others. */
  function checkWaiting(): void {
    const nowMs = Date.now();
    waiting = waiting.filter((request) => {
      if (request.isCancelled()) request.refuse(new OpenrayError('RequestCancelled', 'the sender disconnected'));
      else if (hasRoom() && request.reserveMemory?.() !== false) request.admit(enter(request.bytes));
      else if (nowMs >= request.waitsUntilMs) request.refuse(queueFull());
      else return true;
      return false;
    });
    if (waiting.length > 0) setTimeout(checkWaiting, POLL_MS);
  }

  return {
    admit,
    admitNow: (bytes) => (waiting.length === 0 && hasRoom() ? enter(bytes) : undefined),
  };
}

function queueFull(): OpenrayError {
  return new OpenrayError('ThrottledException', 'documents arrive faster than they can be stored', {
    retryAfterSeconds: 1,
  });
}
