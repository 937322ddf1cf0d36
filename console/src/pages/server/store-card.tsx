import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import cards from '../../shared/card-page.module.css';
import { formatBytes, formatCount, formatShare, formatTime } from '../../shared/format.ts';
import styles from './page.module.css';

/** Size of the store, its retention, and the free space. */
export function StoreCard({ store }: { readonly store: GetServerStatusResponse['Store'] }): ReactElement {
  const { Bytes, Documents, FreeBytes, OldestDay, PrunedBefore, QueuedBytes, QueueMaxBytes } = store;
  return (
    <section className={cards.card} aria-label="Store">
      <h2>Store</h2>
      <dl className={styles.facts}>
        <Fact label="On disk">
          {formatBytes(Bytes)}
          {store.RetentionMaxBytes !== null && ` of at most ${formatBytes(store.RetentionMaxBytes)}`}
          {FreeBytes !== null && `; ${formatBytes(FreeBytes)} free`}
        </Fact>
        <Fact label="Documents">
          {formatCount(Documents)}
          {OldestDay !== null && `, the oldest from ${dayOf(OldestDay)}`}
        </Fact>
        <Fact label="Kept">
          {keptFor(store)}
          {store.RetentionRules.map((rule) => (
            <code key={rule}>{rule}</code>
          ))}
        </Fact>
        <Fact label="Pruned">
          {PrunedBefore === null
            ? 'nothing yet'
            : `some or all documents that arrived before ${formatTime(PrunedBefore * 1_000_000).slice(0, 16)}`}
        </Fact>
        <Fact label="Queue">
          {formatBytes(QueuedBytes)} of {formatBytes(QueueMaxBytes)} ({formatShare(QueuedBytes, QueueMaxBytes)})
        </Fact>
        {store.DamagedParts.length > 0 && (
          <Fact label="Damaged">
            Left out of every response; <code>openray repair</code> shows what to do.
            {store.DamagedParts.map(({ Table, Part, Reason }) => (
              <code key={`${Table}/${Part}`}>{`${Table} ${Part}: ${Reason}`}</code>
            ))}
          </Fact>
        )}
      </dl>
    </section>
  );
}

function keptFor({ RetentionDays, RetentionMaxBytes }: GetServerStatusResponse['Store']): string {
  const days = RetentionDays === null ? '' : `for ${RetentionDays} ${RetentionDays === 1 ? 'day' : 'days'}`;
  const bytes = RetentionMaxBytes === null ? '' : `at most ${formatBytes(RetentionMaxBytes)}`;
  return [days, bytes].filter((part) => part !== '').join(', and ') || 'forever (--retention-days sets a limit)';
}

/** In UTC, as the store's days. */
function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function Fact({ label, children }: { readonly label: string; readonly children: React.ReactNode }): ReactElement {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
