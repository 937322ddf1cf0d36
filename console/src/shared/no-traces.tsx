import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import styles from './no-traces.module.css';
import { describeTimeRange } from './time-range.ts';

type Props = {
  readonly range: string;
  readonly filter: string;
  readonly onWiden: () => void;
  readonly onClearFilter: () => void;
};

/** An empty page: no trace matches the filter, or no trace was received. */
export function NoTraces({ range, filter, onWiden, onClearFilter }: Props): ReactElement {
  return (
    <div className={styles.empty}>
      <Box variant="h2">{filter === '' ? 'No traces yet' : 'No trace matches'}</Box>
      <Box color="text-body-secondary">
        {filter === '' ? 'No trace was received' : 'No received trace matches the filter'} in the time range:{' '}
        {describeTimeRange(range)}.
      </Box>
      <SpaceBetween direction="horizontal" size="xs">
        {filter !== '' && <Button onClick={onClearFilter}>Clear the filter</Button>}
        <Button onClick={onWiden}>Look at the last 7 days</Button>
      </SpaceBetween>
      {filter === '' && <FirstTrace />}
      {filter === '' && (
        <Box color="text-body-secondary">
          Did you send traces? <Link to="/server">Server</Link> has the counters of received documents, and the reasons
          why documents were not stored.
        </Box>
      )}
    </div>
  );
}

/** How to send a first trace to this server. */
function FirstTrace(): ReactElement {
  const port = location.port || '2000';
  return (
    <dl className={styles.receivers}>
      <dt>Run a Lambda function of a SAM template, with active tracing</dt>
      <dd>
        <code>openray invoke InstrumentedFunction --event-file events/valid_user.json</code>
      </dd>
      <dt>Point an X-Ray SDK or Powertools at this daemon</dt>
      <dd>
        <code>
          export AWS_XRAY_DAEMON_ADDRESS={location.hostname}:{port}
        </code>
      </dd>
      <dt>Or send OpenTelemetry</dt>
      <dd>
        <code>export OTEL_EXPORTER_OTLP_ENDPOINT={location.origin}</code>
      </dd>
    </dl>
  );
}
