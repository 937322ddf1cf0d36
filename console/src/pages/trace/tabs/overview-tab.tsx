import Link from '@cloudscape-design/components/link';
import { Link as PageLink } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { formatDuration, formatTime } from '../../../shared/format.ts';
import { nodeTypeLabel } from '../../../shared/node-type.ts';
import { OUTCOME_LABEL } from '../../../shared/outcome.ts';
import { at, type Entity, isObject, type Json, type TraceTree, text } from '../entities.ts';
import { Facts } from './facts.tsx';

type Props = { readonly tree: TraceTree; readonly entity: Entity; readonly onSelect: (id: string) => void };

/** What it is, when it ran, and what it was asked and answered over HTTP. */
export function OverviewTab({ tree, entity, onSelect }: Props): ReactElement {
  const { fields, endUs, startUs } = entity;
  const parent = entity.parentId === undefined ? undefined : tree.byId.get(entity.parentId);
  const goTo = (target: Entity) => <Link onFollow={() => onSelect(target.id)}>{target.name}</Link>;
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
          { label: 'Parent', value: parent ? goTo(parent) : entity.parentId && `${entity.parentId} (not arrived)` },
          { label: 'Segment', value: entity.segment && entity.segment !== entity ? goTo(entity.segment) : undefined },
          { label: 'Origin', value: entity.origin },
          { label: 'Namespace', value: entity.namespace },
          {
            label: 'Reached',
            value: entity.inferredType && `${nodeTypeLabel(entity.inferredType)}; it sent no segment of its own`,
          },
          { label: 'User', value: text(fields.user) },
        ]}
      />
      <Facts
        heading="HTTP"
        facts={[
          { label: 'Method', value: text(at(fields, 'http', 'request', 'method')) },
          { label: 'URL', value: text(at(fields, 'http', 'request', 'url')) },
          { label: 'Status', value: plain(at(fields, 'http', 'response', 'status')) },
          { label: 'Content length', value: plain(at(fields, 'http', 'response', 'content_length')) },
          { label: 'Client address', value: text(at(fields, 'http', 'request', 'client_ip')) },
          { label: 'User agent', value: text(at(fields, 'http', 'request', 'user_agent')) },
        ]}
      />
      <Facts heading="Service" facts={plainFacts(fields.service)} />
      <Facts
        heading="Linked traces"
        facts={linksOf(fields.links).map(({ traceId, relation }, index) => ({
          label: relation ?? `Link ${index + 1}`,
          value: (
            <PageLink to="/traces/$id" params={{ id: traceId }}>
              {traceId}
            </PageLink>
          ),
        }))}
      />
    </>
  );
}

function linksOf(
  links: Json | undefined,
): readonly { readonly traceId: string; readonly relation: string | undefined }[] {
  if (!Array.isArray(links)) return [];
  return (links as readonly Json[]).flatMap((link) => {
    const traceId = text(at(link, 'trace_id'));
    const relation = text(at(link, 'attributes', 'aws.xray.reserved.reference_type'));
    return traceId === undefined ? [] : [{ traceId, relation }];
  });
}

function plainFacts(
  value: Json | undefined,
): readonly { readonly label: string; readonly value: string | undefined }[] {
  return isObject(value) ? Object.entries(value).map(([label, member]) => ({ label, value: plain(member) })) : [];
}

function plain(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
