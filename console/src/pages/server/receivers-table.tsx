import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatExact, formatPerSecond } from '../../shared/format.ts';
import styles from './page.module.css';
import { type CounterName, ratePerSecond, type Samples, total } from './samples.ts';

const RECEIVER_LABELS: Readonly<Record<string, string>> = {
  udp: 'X-Ray daemon, UDP',
  http: 'X-Ray API, HTTP',
  'otlp-grpc': 'OpenTelemetry, gRPC',
  'otlp-http': 'OpenTelemetry, HTTP',
  zipkin: 'Zipkin, HTTP',
};

/** The columns read as a sum: received = stored + queued + rejected + dropped. */
const COLUMNS: readonly { readonly counter: CounterName; readonly sign: string; readonly hint: string }[] = [
  { counter: 'Received', sign: '', hint: 'Segment documents and spans received' },
  { counter: 'Stored', sign: '=', hint: 'In the store' },
  { counter: 'Queued', sign: '+', hint: 'Waiting to be stored' },
  { counter: 'Rejected', sign: '+', hint: 'Invalid; the response over HTTP and gRPC names each one and the reason' },
  {
    counter: 'Dropped',
    sign: '+',
    hint: 'Valid, but not stored; the response over HTTP and gRPC asks the sender to retry',
  },
];

/** Documents by receiver and result. */
export function ReceiversTable({ samples }: { readonly samples: Samples }): ReactElement | null {
  const status = samples.at(-1);
  if (!status) return null;
  const receivers = status.Documents.toSorted((a, b) => order(a.Receiver) - order(b.Receiver));
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Receiver</th>
            {COLUMNS.map(({ counter, sign, hint }) => (
              <th scope="col" key={counter} title={hint}>
                <i aria-hidden="true">{sign}</i>
                {counter}
              </th>
            ))}
            <th scope="col" title="Received in the last ten seconds">
              Now
            </th>
          </tr>
        </thead>
        <tbody>
          {receivers.map((receiver) => (
            <tr key={receiver.Receiver} data-quiet={receiver.Received === 0}>
              <th scope="row">{RECEIVER_LABELS[receiver.Receiver] ?? receiver.Receiver}</th>
              {COLUMNS.map(({ counter }) => (
                <CountCell key={counter} counter={counter} count={receiver[counter]} />
              ))}
              <td>{formatPerSecond(ratePerSecond(samples, (one) => receivedBy(one, receiver.Receiver)))}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            {COLUMNS.map(({ counter }) => (
              <CountCell key={counter} counter={counter} count={total(status, counter)} />
            ))}
            <td>{formatPerSecond(ratePerSecond(samples, (one) => total(one, 'Received')))}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** Shows every digit, since the columns are a sum. */
function CountCell({ counter, count }: { readonly counter: CounterName; readonly count: number }): ReactElement {
  return <td data-lost={count > 0 && (counter === 'Rejected' || counter === 'Dropped')}>{formatExact(count)}</td>;
}

function order(receiver: string): number {
  return Object.keys(RECEIVER_LABELS).indexOf(receiver);
}

function receivedBy({ Documents }: GetServerStatusResponse, receiver: string): number {
  return Documents.find(({ Receiver }) => Receiver === receiver)?.Received ?? 0;
}
