import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import type { WireTraceSummary } from 'openray/api-types';
import type { ReactElement } from 'react';
import { COLUMNS } from './trace-columns.tsx';

type Props = {
  readonly traces: readonly WireTraceSummary[];
  /** From 1. */
  readonly page: number;
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly onPage: (page: number) => void;
  readonly onLoadMore: () => void;
};

const PAGE_SIZE = 50;

/** Traces newest first as the server sends them; the table never sorts a partial list. */
export function TraceTable({ traces, page, hasMore, isLoading, onPage, onLoadMore }: Props): ReactElement {
  const pages = Math.max(1, Math.ceil(traces.length / PAGE_SIZE));
  const shown = Math.min(page, pages);
  return (
    <Table
      items={traces.slice((shown - 1) * PAGE_SIZE, shown * PAGE_SIZE)}
      trackBy="Id"
      columnDefinitions={COLUMNS}
      resizableColumns
      stickyHeader
      stickyHeaderVerticalOffset={50}
      loading={isLoading && traces.length === 0}
      loadingText="Loading traces"
      wrapLines={false}
      ariaLabels={{ tableLabel: 'Traces' }}
      header={
        <Header
          variant="h2"
          counter={`(${traces.length}${hasMore ? '+' : ''})`}
          actions={
            <SpaceBetween direction="horizontal" size="s" alignItems="center">
              <Pagination
                currentPageIndex={shown}
                pagesCount={pages}
                openEnd={hasMore}
                ariaLabels={{
                  nextPageLabel: 'Next page',
                  previousPageLabel: 'Previous page',
                  pageLabel: (number) => `Page ${number}`,
                }}
                onChange={({ detail }) => onPage(detail.currentPageIndex)}
                onNextPageClick={({ detail }) => {
                  if (!detail.requestedPageAvailable) onLoadMore();
                }}
              />
              {hasMore && (
                <Button loading={isLoading} onClick={onLoadMore}>
                  Load more
                </Button>
              )}
            </SpaceBetween>
          }
        >
          Traces
        </Header>
      }
    />
  );
}
