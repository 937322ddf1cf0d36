import { useQuery } from '@tanstack/react-query';
import type { WireLogEvent } from 'openray/api-types';
import type { ReactElement } from 'react';
import { getFunctionLogs } from '../../../shared/api.ts';
import { liveTrace } from '../../../shared/live.ts';
import { EmptyMessage } from './facts.tsx';
import styles from './logs-tab.module.css';

type Props = { readonly traceId: string; readonly functionName: string };

/** Log events of the function in this trace, with those of Lambda. Embedded metrics are shown as metrics. */
export function LogsTab({ traceId, functionName }: Props): ReactElement {
  const { data, error } = useQuery({
    queryKey: ['function-logs', traceId, functionName],
    queryFn: ({ signal }) => getFunctionLogs({ TraceId: traceId, FunctionName: functionName }, signal),
    meta: liveTrace(traceId),
  });
  if (error) return <EmptyMessage>The logs cannot be read: {error.message}</EmptyMessage>;
  if (!data) return <EmptyMessage>Loading the logs</EmptyMessage>;
  if (data.Events.length === 0) {
    return (
      <EmptyMessage>
        There are no logs of {functionName} in this trace. Only local functions send their logs.
      </EmptyMessage>
    );
  }
  return (
    <ol className={styles.log}>
      {data.Events.map((event) => (
        <li key={event.AtUs} data-source={event.Source} data-level={event.Level ?? undefined}>
          <time dateTime={new Date(event.AtUs / 1000).toISOString()}>{clockOf(event)}</time>
          <LogText event={event} />
        </li>
      ))}
    </ol>
  );
}

function LogText({ event }: { readonly event: WireLogEvent }): ReactElement {
  if (event.Metrics.length === 0) return <pre>{event.Text}</pre>;
  return (
    <div>
      {event.Metrics.map(({ Namespace, Name, Unit, Values, Dimensions }) => (
        <p key={`${Namespace} ${Name}`} className={styles.metric}>
          <strong>
            {Name} {Values.join(', ')}
          </strong>{' '}
          {Unit === 'None' ? '' : Unit} in {Namespace}{' '}
          {Object.entries(Dimensions)
            .map(([name, value]) => `${name} ${value}`)
            .join(', ')}
        </p>
      ))}
    </div>
  );
}

/** `14:13:20.104` */
function clockOf({ AtUs: atUs }: WireLogEvent): string {
  return new Date(atUs / 1000).toISOString().slice(11, 23);
}
