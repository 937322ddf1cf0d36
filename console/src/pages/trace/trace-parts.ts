import type { BatchGetTracesResponse, WireTrace } from 'openray/api-types';
import type { ApiResponse } from '../../shared/api.ts';

/** Parts of a trace that are loaded at first, and at each request for more. A part has up to 50,000 documents. */
export const PARTS_AT_ONCE = 3;

type Page = ApiResponse<Pick<BatchGetTracesResponse, 'Traces' | 'NextToken'>>;

type LoadedParts = {
  readonly trace: WireTrace;
  /** Parts of the trace follow. */
  readonly hasMore: boolean;
};

/** The first `parts` parts of a trace as one trace; undefined when it is unknown. */
export async function loadParts(
  loadPage: (token: string | null) => Promise<Page>,
  parts: number,
): Promise<{
  readonly loaded: LoadedParts | undefined;
  readonly isIncomplete: boolean;
  readonly isDamaged: boolean;
}> {
  const traces: WireTrace[] = [];
  let token: string | null = null;
  let isIncomplete = false;
  let isDamaged = false;
  for (let part = 0; part < parts; part++) {
    const page = await loadPage(token);
    traces.push(...page.Traces);
    isIncomplete ||= page.IsIncomplete;
    isDamaged ||= page.IsDamaged;
    token = page.NextToken;
    if (token === null) break;
  }
  const trace = joined(traces);
  return { loaded: trace && { trace, hasMore: token !== null }, isIncomplete, isDamaged };
}

/** One trace of all its parts. Of two versions of a document the later part has the better one. */
function joined(parts: readonly WireTrace[]): WireTrace | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  return {
    ...first,
    Segments: latest(parts.flatMap(({ Segments }) => Segments)),
    Orphans: latest(parts.flatMap(({ Orphans = [] }) => Orphans)),
    Events: parts.flatMap(({ Events = [] }) => Events),
    ClockSkews: parts.flatMap(({ ClockSkews = [] }) => ClockSkews),
  };
}

function latest(documents: WireTrace['Segments']): WireTrace['Segments'] {
  return [...new Map(documents.map((document) => [document.Id, document])).values()];
}
