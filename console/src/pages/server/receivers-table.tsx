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
const COLUMNS: readonly { readonly fate: CounterName; readonly sign: string; readonly hint: string }[] = [
  { fate: 'Received', sign: '', hint: 'Segment documents and spans that came in' },
  { fate: 'Stored', sign: '=', hint: 'Acknowledged: they are in the store' },
  { fate: 'Queued', sign: '+', hint: 'On their way into the store' },
  { fate: 'Rejected', sign: '+', hint: 'Faulty; senders over HTTP and gRPC were told which and why' },
  { fate: 'Dropped', sign: '+', hint: 'Sound, but not stored; senders over HTTP and gRPC were told to try again' },
];

/** Documents by the way they came and by what became of them. */
export function ReceiversTable({ samples }: { readonly samples: Samples }): ReactElement | null {
  const status = samples.at(-1);
  if (!status) return null;
  const doors = status.Documents.toSorted((a, b) => order(a.Door) - order(b.Door));
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Came in over</th>
            {COLUMNS.map(({ fate, sign, hint }) => (
              <th scope="col" key={fate} title={hint}>
                <i aria-hidden="true">{sign}</i>
                {fate}
              </th>
            ))}
            <th scope="col" title="Received in the last ten seconds">
              Now
            </th>
          </tr>
        </thead>
        <tbody>
          {doors.map((door) => (
            <tr key={door.Door} data-quiet={door.Received === 0}>
              <th scope="row">{RECEIVER_LABELS[door.Door] ?? door.Door}</th>
              {COLUMNS.map(({ fate }) => (
                <CountCell key={fate} fate={fate} count={door[fate]} />
              ))}
              <td>{formatPerSecond(ratePerSecond(samples, (one) => receivedBy(one, door.Door)))}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            {COLUMNS.map(({ fate }) => (
              <CountCell key={fate} fate={fate} count={total(status, fate)} />
            ))}
            <td>{formatPerSecond(ratePerSecond(samples, (one) => total(one, 'Received')))}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** Exact, since they are to be added up. */
function CountCell({ fate, count }: { readonly fate: CounterName; readonly count: number }): ReactElement {
  return <td data-lost={count > 0 && (fate === 'Rejected' || fate === 'Dropped')}>{formatExact(count)}</td>;
}

function order(door: string): number {
  return Object.keys(RECEIVER_LABELS).indexOf(door);
}

function receivedBy({ Documents }: GetServerStatusResponse, door: string): number {
  return Documents.find(({ Door }) => Door === door)?.Received ?? 0;
}
