import type { GetServerStatusResponse } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatExact, formatPerSecond } from '../../shared/format.ts';
import styles from './page.module.css';
import { type Fate, ratePerSecond, type Samples, total } from './samples.ts';

const DOORS: Readonly<Record<string, string>> = {
  udp: 'X-Ray daemon, UDP',
  http: 'X-Ray API, HTTP',
  'otlp-grpc': 'OpenTelemetry, gRPC',
  'otlp-http': 'OpenTelemetry, HTTP',
  zipkin: 'Zipkin, HTTP',
};

/** The columns read as a sum: received = stored + queued + rejected + dropped. */
const FATES: readonly { readonly fate: Fate; readonly sign: string; readonly hint: string }[] = [
  { fate: 'Received', sign: '', hint: 'Segment documents and spans that came in' },
  { fate: 'Stored', sign: '=', hint: 'Acknowledged: they are in the store' },
  { fate: 'Queued', sign: '+', hint: 'On their way into the store' },
  { fate: 'Rejected', sign: '+', hint: 'Faulty; senders over HTTP and gRPC were told which and why' },
  { fate: 'Dropped', sign: '+', hint: 'Sound, but not stored; senders over HTTP and gRPC were told to try again' },
];

/** Documents by the way they came and by what became of them. */
export function DoorsTable({ samples }: { readonly samples: Samples }): ReactElement | null {
  const status = samples.at(-1);
  if (!status) return null;
  const doors = status.Documents.toSorted((a, b) => order(a.Door) - order(b.Door));
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Came in over</th>
            {FATES.map(({ fate, sign, hint }) => (
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
              <th scope="row">{DOORS[door.Door] ?? door.Door}</th>
              {FATES.map(({ fate }) => (
                <Count key={fate} fate={fate} count={door[fate]} />
              ))}
              <td>{formatPerSecond(ratePerSecond(samples, (one) => received(one, door.Door)))}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            {FATES.map(({ fate }) => (
              <Count key={fate} fate={fate} count={total(status, fate)} />
            ))}
            <td>{formatPerSecond(ratePerSecond(samples, (one) => total(one, 'Received')))}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** Exact, since they are to be added up. */
function Count({ fate, count }: { readonly fate: Fate; readonly count: number }): ReactElement {
  return <td data-lost={count > 0 && (fate === 'Rejected' || fate === 'Dropped')}>{formatExact(count)}</td>;
}

function order(door: string): number {
  return Object.keys(DOORS).indexOf(door);
}

function received({ Documents }: GetServerStatusResponse, door: string): number {
  return Documents.find(({ Door }) => Door === door)?.Received ?? 0;
}
