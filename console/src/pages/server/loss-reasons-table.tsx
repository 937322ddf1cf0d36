import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatExact } from '../../shared/format.ts';
import { lossReasonsOf } from './loss-reasons.ts';
import styles from './loss-reasons-table.module.css';

/** Reasons why documents and packets were not stored, the most frequent first. */
export function LossReasonsTable({ status }: { readonly status: GetServerStatusResponse }): ReactElement {
  const reasons = lossReasonsOf(status);
  const { Received, Read, Dropped } = status.Datagrams;
  const dropped = Dropped.reduce((sum, { Count }) => sum + Count, 0);
  return (
    <>
      {reasons.length === 0 ? (
        <p className={styles.good}>No document or packet was rejected or dropped.</p>
      ) : (
        <div className={styles.scroll}>
          <table className={styles.reasons}>
            <thead>
              <tr>
                <th scope="col">Count</th>
                <th scope="col">Result</th>
                <th scope="col">Reason</th>
                <th scope="col">What to do</th>
              </tr>
            </thead>
            <tbody>
              {reasons.map(({ key, kind, count, meaning, advice }) => (
                <tr key={key}>
                  <td>{formatExact(count)}</td>
                  <td>{kind}</td>
                  <th scope="row">{meaning}</th>
                  <td>{advice}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {Received > 0 && (
        <p className={styles.note}>
          UDP packets: {formatExact(Received)} received = {formatExact(Read)} read + {formatExact(dropped)} dropped. UDP
          has no acknowledgement: senders do not learn of a loss.
        </p>
      )}
    </>
  );
}
