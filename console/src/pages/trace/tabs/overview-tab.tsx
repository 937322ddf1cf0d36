import Link from '@cloudscape-design/components/link';
import { isJsonObject, type JsonValue, printJson } from 'openray/model';
import { type ReactElement, useMemo } from 'react';
import { formatDuration, formatTime } from '../../../shared/format.ts';
import { nodeTypeLabel } from '../../../shared/node-type.ts';
import { OUTCOME_LABEL } from '../../../shared/outcome.ts';
import { type Entity, type TraceTree, valueAt } from '../entities.ts';
import { type EntityLink, linksOf } from '../links.ts';
import { type FactList, Facts } from './facts.tsx';
import { LinkTarget } from './link-target.tsx';

type Props = { readonly tree: TraceTree; readonly entity: Entity; readonly onSelect: (id: string) => void };

/** Names, times, HTTP request and response, service and links of an entity. */
export function OverviewTab({ tree, entity, onSelect }: Props): ReactElement {
  const { fields, http, endUs, startUs } = entity;
  const parent = entity.parentId === undefined ? undefined : tree.byId.get(entity.parentId);
  const goTo = (target: Entity) => <Link onFollow={() => onSelect(target.id)}>{target.name}</Link>;
  const links = useMemo(() => linksOf(entity, tree), [entity, tree]);
  const linkFacts = (wanted: EntityLink['direction']): FactList =>
    links
      .filter(({ direction }) => direction === wanted)
      .map(({ traceId, id }, index) => ({
        label: `Link ${index + 1}`,
        value: <LinkTarget tree={tree} traceId={traceId} id={id} />,
      }));
  return (
    <>
      <Facts
        facts={[
          { label: 'Outcome', value: OUTCOME_LABEL[entity.outcome] },
          { label: 'Start', value: formatTime(startUs) },
          { label: 'End', value: endUs === undefined ? 'in progress' : formatTime(endUs) },
          { label: 'Duration', value: endUs === undefined ? undefined : formatDuration(endUs - startUs) },
          { label: 'After trace start', value: formatDuration(startUs - tree.startUs) },
          { label: 'Segment id', value: entity.kind === 'segment' ? entity.id : undefined },
          { label: 'Subsegment id', value: entity.kind === 'subsegment' ? entity.id : undefined },
          { label: 'Parent', value: parent ? goTo(parent) : entity.parentId && `${entity.parentId} (not received)` },
          { label: 'Segment', value: entity.segment && entity.segment !== entity ? goTo(entity.segment) : undefined },
          { label: 'Origin', value: entity.origin },
          { label: 'Namespace', value: entity.namespace },
          {
            label: 'Called resource',
            value: entity.inferredType && `${nodeTypeLabel(entity.inferredType)}; it sent no segment of its own`,
          },
          { label: 'User', value: entity.user },
        ]}
      />
      <Facts
        heading="HTTP"
        facts={[
          { label: 'Method', value: http?.method },
          { label: 'URL', value: http?.url },
          { label: 'Status', value: http?.status },
          { label: 'Content length', value: plain(valueAt(fields, 'http', 'response', 'content_length')) },
          { label: 'Client address', value: http?.clientIp },
          { label: 'User agent', value: http?.userAgent },
        ]}
      />
      <Facts heading="Service" facts={plainFacts(fields.service)} />
      <Facts heading="Links to" facts={linkFacts('to')} />
      <Facts heading="Linked from" facts={linkFacts('from')} />
    </>
  );
}

function plainFacts(
  value: JsonValue | undefined,
): readonly { readonly label: string; readonly value: string | undefined }[] {
  return isJsonObject(value) ? Object.entries(value).map(([label, member]) => ({ label, value: plain(member) })) : [];
}

function plain(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : printJson(value);
}
