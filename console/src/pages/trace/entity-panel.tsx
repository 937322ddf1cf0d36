import Button from '@cloudscape-design/components/button';
import { getRouteApi } from '@tanstack/react-router';
import { isJsonObject } from 'openray/model';
import type { ReactElement } from 'react';
import { nodeTypeLabel } from '../../shared/node-type.ts';
import { OutcomePill } from '../../shared/outcome-pill.tsx';
import type { Entity, TraceTree } from './entities.ts';
import styles from './entity-panel.module.css';
import { exceptionsOf } from './exceptions.ts';
import { TabStrip } from './tab-strip.tsx';
import { AnnotationsTab } from './tabs/annotations-tab.tsx';
import { ExceptionsTab } from './tabs/exceptions-tab.tsx';
import { LogsTab } from './tabs/logs-tab.tsx';
import { MetadataTab } from './tabs/metadata-tab.tsx';
import { OverviewTab } from './tabs/overview-tab.tsx';
import { RawTab } from './tabs/raw-tab.tsx';
import { ResourcesTab } from './tabs/resources-tab.tsx';
import { SpanTab } from './tabs/span-tab.tsx';
import { SqlTab } from './tabs/sql-tab.tsx';

type Props = {
  readonly tree: TraceTree;
  readonly entity: Entity;
  readonly onClose: () => void;
  readonly onSelect: (id: string) => void;
};

const route = getRouteApi('/traces/$id');

/** All data of one segment or subsegment. The URL has the open tab, so the next selection opens the same tab. */
export function EntityPanel({ tree, entity, onClose, onSelect }: Props): ReactElement {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const { fields } = entity;
  const exceptions = exceptionsOf(entity, tree);
  const tabs = [
    { id: 'overview', label: 'Overview', content: <OverviewTab tree={tree} entity={entity} onSelect={onSelect} /> },
    { id: 'resources', label: 'Resources', content: <ResourcesTab entity={entity} /> },
    {
      id: 'annotations',
      label: 'Annotations',
      count: keyCount(fields.annotations),
      content: <AnnotationsTab entity={entity} />,
    },
    {
      id: 'metadata',
      label: 'Metadata',
      count: keyCount(fields.metadata),
      content: <MetadataTab entity={entity} />,
    },
    {
      id: 'exceptions',
      label: 'Exceptions',
      count: exceptions.length,
      content: (
        <ExceptionsTab exceptions={exceptions} workingDirectory={entity.cause?.workingDirectory} onSelect={onSelect} />
      ),
    },
    ...(isJsonObject(fields.sql) ? [{ id: 'sql', label: 'SQL', content: <SqlTab sql={fields.sql} /> }] : []),
    ...(isOfFunction(entity)
      ? [
          {
            id: 'logs',
            label: 'Logs',
            content: <LogsTab traceId={tree.id} functionName={(entity.segment ?? entity).name} />,
          },
        ]
      : []),
    {
      id: 'span',
      label: 'Span',
      count: entity.events.length,
      content: <SpanTab tree={tree} entity={entity} />,
    },
    { id: 'raw', label: 'Raw', content: <RawTab traceId={tree.id} entity={entity} /> },
  ];
  return (
    <aside className={styles.panel} aria-label="Details of the selection">
      <header>
        <div>
          <h2>{entity.name}</h2>
          <p>
            {entity.kind === 'segment' ? `Segment, ${nodeTypeLabel(entity.origin)}` : 'Subsegment'}{' '}
            <OutcomePill outcome={entity.outcome} />
          </p>
        </div>
        <Button variant="icon" iconName="close" ariaLabel="Close the details" onClick={onClose} />
      </header>
      <div className={styles.tabs}>
        <TabStrip
          tabs={tabs}
          active={tab}
          label="Details"
          onChange={(next) => void navigate({ search: (before) => ({ ...before, tab: next }), replace: true })}
        />
      </div>
    </aside>
  );
}

/** Whether Lambda or the code of a function sent it. */
function isOfFunction({ segment }: Entity): boolean {
  return segment?.origin === 'AWS::Lambda' || segment?.origin === 'AWS::Lambda::Function';
}

function keyCount(value: Entity['fields'][string] | undefined): number {
  return isJsonObject(value) ? Object.keys(value).length : 0;
}
