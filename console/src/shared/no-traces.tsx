import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, type ReactElement } from 'react';
import { getServerStatus } from './api.ts';
import { firstTraceCommands } from './first-trace.ts';
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
function FirstTrace(): ReactElement | null {
  const { data } = useQuery({ queryKey: ['receivers'], queryFn: ({ signal }) => getServerStatus(signal) });
  if (data === undefined) return null;
  return (
    <dl className={styles.receivers}>
      {firstTraceCommands(data, location.origin).map(({ meaning, command }) => (
        <Fragment key={meaning}>
          <dt>{meaning}</dt>
          <dd>
            <code>{command}</code>
            <CopyToClipboard
              variant="icon"
              copyButtonAriaLabel={`Copy: ${command}`}
              textToCopy={command}
              copySuccessText="Copied"
              copyErrorText="Could not copy"
            />
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}
