import type { ReactElement } from 'react';
import type { NodeGlyph } from '../node-type.ts';

/** Line drawings on a 16 by 16 grid. */
const PATHS: Readonly<Record<NodeGlyph, string>> = {
  client: 'M8 2.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM2.5 14c.3-3 2.5-4.6 5.5-4.6s5.2 1.6 5.5 4.6',
  lambda: 'M3 2h3.2l5.3 12H14M7.6 6 3.5 14',
  container: 'M2 5l6-3 6 3v6l-6 3-6-3ZM2 5l6 3 6-3M8 8v6',
  server: 'M2.5 2.5h11v4.5h-11ZM2.5 9h11v4.5h-11ZM5 4.7h.1M5 11.2h.1',
  table: 'M2 3h12v10H2ZM2 6.5h12M2 9.7h12M6.5 3v10',
  database: 'M2.5 4c0-2.4 11-2.4 11 0s-11 2.4-11 0v8c0 2.4 11 2.4 11 0V4M2.5 8c0 2.4 11 2.4 11 0',
  queue: 'M1.5 4.5h3.5v7H1.5ZM6.3 4.5h3.5v7H6.3ZM11 4.5h3.5v7H11Z',
  topic: 'M2 6v4l3 .3L10.5 13V3L5 5.7ZM13 6.2c.9 1 .9 2.6 0 3.6',
  bucket: 'M2.5 3.5h11L12 14H4ZM2.5 3.5c0 1.6 11 1.6 11 0s-11-1.6-11 0',
  gateway: 'M2 8h4M10 8h4M6 4.5v7M10 4.5v7M6 4.5l4 3.5-4 3.5',
  remote: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM1.8 8h12.4M8 1.8c-4 4-4 8.4 0 12.4 4-4 4-8.4 0-12.4',
  service: 'M8 1.8 13.5 5v6L8 14.2 2.5 11V5Z',
};

export function Glyph({ glyph, size = 16 }: { readonly glyph: NodeGlyph; readonly size?: number }): ReactElement {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" style={{ flex: 'none' }}>
      <path
        d={PATHS[glyph]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
}
