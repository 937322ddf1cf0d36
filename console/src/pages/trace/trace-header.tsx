import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import { Link } from '@tanstack/react-router';
import type { WireTraceSummary } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatCount, formatDuration, formatTime } from '../../shared/format.ts';
import { OutcomePill } from '../../shared/outcome-pill.tsx';
import { rootOf, type TraceTree } from './entities.ts';
import { outcomeOfTree } from './outcome-of-tree.ts';
import styles from './trace-header.module.css';

type Props = {
  readonly tree: TraceTree;
  readonly summary: WireTraceSummary | undefined;
  readonly isMapShown: boolean;
  readonly onToggleMap: () => void;
};

/** Id, outcome, times and size of the trace. */
export function TraceHeader({ tree, summary, isMapShown, onToggleMap }: Props): ReactElement {
  const { worst, note } = outcomeOfTree(tree);
  const segments = [...tree.byId.values()].filter(({ kind }) => kind === 'segment').length;
  return (
    <header className={styles.header}>
      <title>{`Trace ${tree.id} · openray`}</title>
      <div className={styles.id}>
        <nav aria-label="Breadcrumb">
          <Link to="/traces">Traces</Link> /
        </nav>
        <h1>{tree.id}</h1>
        <CopyToClipboard
          variant="icon"
          copyButtonAriaLabel="Copy the trace id"
          textToCopy={tree.id}
          copySuccessText="Copied"
          copyErrorText="Could not copy"
        />
        {tree.isInProgress && <span className={styles.badge}>In progress</span>}
        {(tree.orphans.length > 0 || summary?.IsPartial) && (
          <span className={styles.badge} title="A segment or subsegment names a parent that was not received">
            Partial
          </span>
        )}
      </div>
      <dl>
        <Fact label="Outcome">
          <OutcomePill outcome={worst} note={note} />
        </Fact>
        <Fact label="Start">{formatTime(tree.startUs)}</Fact>
        <Fact label="Duration">
          {tree.isInProgress
            ? `${formatDuration(tree.endUs - tree.startUs)} so far`
            : formatDuration(tree.endUs - tree.startUs)}
        </Fact>
        <Fact label="Response time">{formatDuration(responseUs(tree))}</Fact>
        <Fact label="Parts">
          {formatCount(segments)} {segments === 1 ? 'segment' : 'segments'}, {formatCount(tree.byId.size - segments)}{' '}
          {tree.byId.size - segments === 1 ? 'subsegment' : 'subsegments'}
        </Fact>
      </dl>
      <Button
        onClick={onToggleMap}
        ariaExpanded={isMapShown}
        iconName={isMapShown ? 'angle-up' : 'angle-down'}
        iconAlign="right"
      >
        Map
      </Button>
    </header>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: React.ReactNode }): ReactElement {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Response time of the root. */
function responseUs(tree: TraceTree): number | undefined {
  const root = rootOf(tree);
  return root?.endUs === undefined ? undefined : root.endUs - root.startUs;
}
