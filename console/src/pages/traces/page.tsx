import { getRouteApi } from '@tanstack/react-router';
import { type ReactElement, useMemo } from 'react';
import { FailureAlert } from '../../shared/failure-alert.tsx';
import { FilterBox } from '../../shared/filter-box.tsx';
import { bothFilters } from '../../shared/filter-text.ts';
import { GroupSelect } from '../../shared/group-select.tsx';
import { Loading } from '../../shared/loading.tsx';
import { combineMissingData, missingDataOf } from '../../shared/missing-data.ts';
import { MissingDataNotice } from '../../shared/missing-data-notice.tsx';
import { NoTraces } from '../../shared/no-traces.tsx';
import { TimeRangePicker } from '../../shared/time-range-picker.tsx';
import { Distribution } from './distribution.tsx';
import styles from './page.module.css';
import { TraceOverview } from './trace-overview.tsx';
import { TraceTable } from './trace-table.tsx';
import { useTraceSummaries } from './use-trace-summaries.ts';

const route = getRouteApi('/traces');

/** Traces of a time range that match a filter: their response times, an overview by group, and a list. */
export function TracesPage(): ReactElement {
  const { range, q, inGroup, group, page } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, isFetching, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useTraceSummaries(range, q, inGroup, page);
  const traces = useMemo(() => data?.pages.flatMap(({ response }) => response.TraceSummaries) ?? [], [data]);
  const missing = useMemo(
    () => combineMissingData(data?.pages.map(({ response }) => missingDataOf(response)) ?? []),
    [data],
  );
  const setFilter = (next: string) => void navigate({ search: (before) => ({ ...before, q: next, page: 1 }) });
  const addCondition = (condition: string) => setFilter(bothFilters(q, condition));

  return (
    <div className={styles.page}>
      <title>Traces · openray</title>
      <h1 className="visually-hidden">Traces</h1>
      <div className={styles.tools}>
        <FilterBox
          filter={q}
          range={range}
          placeholder="Search traces, such as: annotation.user_id = &quot;brian1&quot; AND responsetime > 0.5"
          onApply={setFilter}
        />
        <GroupSelect />
        <TimeRangePicker />
      </div>
      <MissingDataNotice missing={missing} />
      <div className={styles.content}>
        {error && <FailureAlert error={error} onRetry={() => void refetch()} />}
        {isPending && <Loading text="Loading traces" />}
        {data && !error && traces.length === 0 && (
          <NoTraces
            range={range}
            filter={q || inGroup}
            onWiden={() => void navigate({ search: (before) => ({ ...before, range: '7d' }) })}
            onClearFilter={() => void navigate({ search: (before) => ({ ...before, q: '', inGroup: '', page: 1 }) })}
          />
        )}
        {traces.length > 0 && (
          <>
            <div className={styles.overview}>
              <Distribution traces={traces} isComplete={!hasNextPage} onAddCondition={addCondition} />
              <TraceOverview
                traces={traces}
                grouping={group}
                onGrouping={(next) =>
                  void navigate({ search: (before) => ({ ...before, group: next }), replace: true })
                }
                onAddCondition={addCondition}
              />
            </div>
            <TraceTable
              traces={traces}
              page={page}
              hasMore={hasNextPage}
              isLoading={isFetchingNextPage || (isFetching && data === undefined)}
              onPage={(next) => void navigate({ search: (before) => ({ ...before, page: next }) })}
              onLoadMore={() => void fetchNextPage()}
            />
          </>
        )}
      </div>
    </div>
  );
}
