import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatExact } from '../../shared/format.ts';
import styles from './page.module.css';

const TARGETS: Readonly<Record<string, string>> = { otlp: 'OpenTelemetry', xray: 'AWS X-Ray' };
const COUNTERS = ['Received', 'Sent', 'Queued', 'Rejected', 'Dropped'] as const;

/** Copies of stored documents, by backend and result. */
export function ForwardsTable({ forwards }: { readonly forwards: GetServerStatusResponse['Forwards'] }): ReactElement {
  return (
    <>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Backend</th>
              {COUNTERS.map((counter, index) => (
                <th scope="col" key={counter}>
                  <i aria-hidden="true">{['', '=', '+', '+', '+'][index]}</i>
                  {counter}
                </th>
              ))}
              <th scope="col">Retries</th>
            </tr>
          </thead>
          <tbody>
            {forwards.map((forward) => (
              <tr key={forward.Target}>
                <th scope="row">{TARGETS[forward.Target] ?? forward.Target}</th>
                {COUNTERS.map((counter) => (
                  <td
                    key={counter}
                    data-lost={forward[counter] > 0 && (counter === 'Rejected' || counter === 'Dropped')}
                  >
                    {formatExact(forward[counter])}
                  </td>
                ))}
                <td>{formatExact(forward.Retries)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {forwards.some(({ Rejected, Dropped }) => Rejected + Dropped > 0) && (
        <p className={styles.note}>
          Rejected: the backend refused them. Dropped: they were not delivered, since the backend could not be reached
          for too long or the queue (--forward-queue-max-bytes) was full. The server’s log has the reasons.
        </p>
      )}
    </>
  );
}
