import type { LeanDocument } from '../model/lean-document.ts';
import type { RowBuffer } from './row-binary.ts';

/** Documents whose rows are encoded already, as `writeEntities` and `writeDocument` write them. */
export type EncodedDocuments = {
  readonly entities: RowBuffer;
  readonly documents: RowBuffer;
  /** One for each row of `documents`. */
  readonly leanDocuments: readonly LeanDocument[];
};
