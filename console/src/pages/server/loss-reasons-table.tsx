import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatExact } from '../../shared/format.ts';
import { lossReasonsOf } from './loss-reasons.ts';
import styles from './loss-reasons-table.module.css';

/** Why documents and packets were not stored, the most frequent cause first. */
export function LossReasonsTable({ status }: { readonly status: GetServerStatusResponse }): ReactElement {
  const causes = lossReasonsOf(status);
  const { Received, Read, Dropped } = status.Datagrams;
  const dropped = Dropped.reduce((sum, { Count }) => sum + Count, 0);
  return (
    <>
      {causes.length === 0 ? (
        <p className={styles.good}>Nothing was rejected or dropped.</p>
      ) : (
        <div className={styles.scroll}>
          <table className={styles.causes}>
            <thead>
              <tr>
                <th scope="col">Count</th>
                <th scope="col">Fate</th>
                <th scope="col">Cause</th>
                <th scope="col">What to do</th>
              </tr>
            </thead>
            <tbody>
              {causes.map(({ key, kind, count, meaning: what, advice }) => (
                <tr key={key}>
                  <td>{formatExact(count)}</td>
                  <td>{kind}</td>
                  <th scope="row">{what}</th>
                  <td>{advice}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {Received > 0 && (
        <p className={styles.note}>
          UDP packets: {formatExact(Received)} received = {formatExact(Read)} read + {formatExact(dropped)} dropped.
          Senders over UDP are told nothing.
        </p>
      )}
    </>
  );
}
