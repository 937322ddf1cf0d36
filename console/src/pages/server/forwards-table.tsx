import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatExact } from '../../shared/format.ts';
import styles from './page.module.css';

const TARGETS: Readonly<Record<string, string>> = { otlp: 'OpenTelemetry', xray: 'AWS X-Ray' };
const COUNTERS = ['Received', 'Sent', 'Queued', 'Rejected', 'Dropped'] as const;

/** Copies of what was stored, by backend and by what became of them. */
export function ForwardsTable({ forwards }: { readonly forwards: GetServerStatusResponse['Forwards'] }): ReactElement {
  return (
    <>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Backend</th>
              {COUNTERS.map((fate, index) => (
                <th scope="col" key={fate}>
                  <i aria-hidden="true">{['', '=', '+', '+', '+'][index]}</i>
                  {fate}
                </th>
              ))}
              <th scope="col">Tried again</th>
            </tr>
          </thead>
          <tbody>
            {forwards.map((forward) => (
              <tr key={forward.Target}>
                <th scope="row">{TARGETS[forward.Target] ?? forward.Target}</th>
                {COUNTERS.map((fate) => (
                  <td key={fate} data-lost={forward[fate] > 0 && (fate === 'Rejected' || fate === 'Dropped')}>
                    {formatExact(forward[fate])}
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
          Rejected: the backend did not want them. Dropped: it never got them, since it was away for too long or the
          queue (--forward-queue-max-bytes) was full. The server’s log says why.
        </p>
      )}
    </>
  );
}
