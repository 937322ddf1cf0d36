import { getRouteApi } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import cards from '../../shared/card-page.module.css';
import { FailureAlert } from '../../shared/failure-alert.tsx';
import { formatDuration, formatTime } from '../../shared/format.ts';
import { Loading } from '../../shared/loading.tsx';
import { ForwardsTable } from './forwards-table.tsx';
import { LossReasonsTable } from './loss-reasons-table.tsx';
import styles from './page.module.css';
import { RateChart } from './rate-chart.tsx';
import { ReceiversTable } from './receivers-table.tsx';
import { rateSeries } from './samples.ts';
import { StoreCard } from './store-card.tsx';
import { useServerStatus } from './use-server-status.ts';

const route = getRouteApi('__root__');

/** Counters of documents by receiver and result, reasons of losses, and the state of the store. */
export function ServerPage(): ReactElement {
  const { live } = route.useSearch();
  const { data: samples, error, refetch } = useServerStatus(live);
  const status = samples?.at(-1);
  return (
    <div className={`${cards.page} ${styles.page}`}>
      <title>Server · openray</title>
      <header>
        <h1>Server</h1>
        {status && (
          <p>
            Counters since the start of the server, {formatTime(status.StartTime * 1_000_000).slice(0, 19)} (
            {formatDuration((status.Time - status.StartTime) * 1_000_000)} ago)
            {status.Store.IsShared && '; other servers on the same store have their own counters'}
          </p>
        )}
      </header>
      {error && <FailureAlert error={error} onRetry={() => void refetch()} />}
      {!status && !error && <Loading text="Loading the status of the server" />}
      {samples && status && (
        <>
          <section className={cards.card} aria-label="Documents">
            <h2>Documents</h2>
            <ReceiversTable samples={samples} />
          </section>
          <div className={styles.pair}>
            <section className={cards.card} aria-label="Rates">
              <h2>Documents per second</h2>
              <RateChart points={rateSeries(samples)} />
            </section>
            <StoreCard store={status.Store} />
          </div>
          <section className={cards.card} aria-label="Not stored">
            <h2>Documents and packets that were not stored</h2>
            <LossReasonsTable status={status} />
          </section>
          {status.Forwards.length > 0 && (
            <section className={cards.card} aria-label="Forwarded">
              <h2>Forwarded to other backends</h2>
              <ForwardsTable forwards={status.Forwards} />
            </section>
          )}
        </>
      )}
    </div>
  );
}
