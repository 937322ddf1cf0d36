import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import { causesOf } from './causes.ts';
import styles from './causes-table.module.css';

/** Why documents and packets were not stored, the most frequent cause first. */
export function CausesTable({ status }: { readonly status: GetServerStatusResponse }): ReactElement {
  const causes = causesOf(status);
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
              {causes.map(({ key, kind, count, what, advice }) => (
                <tr key={key}>
                  <td>{count.toLocaleString('en-US')}</td>
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
          UDP packets: {Received.toLocaleString('en-US')} received = {Read.toLocaleString('en-US')} read +{' '}
          {dropped.toLocaleString('en-US')} dropped. Senders over UDP are told nothing.
        </p>
      )}
    </>
  );
}
