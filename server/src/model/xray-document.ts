import type { Document } from './entity.ts';

/** A document of X-Ray. It has no text, see `canAssemble` in lean-document.ts. */
export type LeanSegment = Pick<Document, 'traceId' | 'id' | 'seq' | 'entities'> & {
  readonly format: 'lean-segment';
  /** Length of its stored body. */
  readonly bodyBytes: number;
};

/** What `assembleTrace` resolves. */
export type SentDocument = Document | LeanSegment;

/** Documents of X-Ray, with or without their text. */
export type XrayDocument = Extract<Document, { format: 'xray' }> | LeanSegment;

export const isXray = (document: { readonly format: string }): document is XrayDocument =>
  document.format === 'xray' || document.format === 'lean-segment';
