/**
 * A trace with more documents, or with more bytes of them, is never assembled whole: its first part stands for it, and
 * lists summarise it from its rows. One read of documents for several traces has the same bounds.
 */
export type TraceBounds = { readonly documents: number; readonly bytes: number };

/** Every part of the documents within these bounds takes about 200 MB of memory while it is assembled. */
export const TRACE_BOUNDS: TraceBounds = { documents: 50_000, bytes: 32 * 1024 * 1024 };
