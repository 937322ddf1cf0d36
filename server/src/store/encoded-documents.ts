import type { LeanBatch } from './lean-batch.ts';
import type { RowBuffer } from './row-binary.ts';

/** Documents whose rows are encoded already, as `writeEntities` and `writeDocument` write them. */
export type EncodedDocuments = {
  readonly entities: RowBuffer;
  readonly documents: RowBuffer;
  readonly lean: LeanBatch;
};
