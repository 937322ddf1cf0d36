import { formatTraceId } from 'openray/model';
import type { ReactElement } from 'react';
import { ApiFailure } from '../../../shared/api.ts';
import { formatDuration, formatExact } from '../../../shared/format.ts';
import type { Entity, TraceTree } from '../entities.ts';
import { nanosBetween, type SpanDetails, spanDetailsOf } from '../span-details.ts';
import { useSpan } from '../use-span.ts';
import { AttributeTable } from './attribute-table.tsx';
import { EmptyMessage, Facts } from './facts.tsx';
import { LinkTarget } from './link-target.tsx';
import styles from './span-tab.module.css';

type Props = { readonly tree: TraceTree; readonly entity: Entity };

/** The entity as an OpenTelemetry span, with the data that X-Ray documents have no member for. */
export function SpanTab({ tree, entity }: Props): ReactElement {
  const { data, error } = useSpan(tree.id, entity.id);
  if (error instanceof ApiFailure && error.code === 'ResourceNotFoundException') {
    return <EmptyMessage>This segment is synthetic: the service around the call below it sent no span.</EmptyMessage>;
  }
  if (error) return <EmptyMessage>The span cannot be read: {error.message}</EmptyMessage>;
  const span = data && spanDetailsOf(data);
  if (!span) return <EmptyMessage>Loading the span</EmptyMessage>;
  return (
    <>
      {data.SentAs === 'xray' && (
        <EmptyMessage>
          It was received as an X-Ray document. This is its translation to an OpenTelemetry span.
        </EmptyMessage>
      )}
      <SpanFacts span={span} />
      <Section heading="Attributes" count={span.attributes.length}>
        <AttributeTable attributes={span.attributes} />
      </Section>
      <Events span={span} />
      <Links span={span} tree={tree} />
      <Facts
        heading="Scope"
        facts={[
          { label: 'Name', value: span.scope.name },
          { label: 'Version', value: span.scope.version },
          { label: 'Schema', value: span.scope.schemaUrl },
        ]}
      />
      {span.scope.attributes.length > 0 && <AttributeTable attributes={span.scope.attributes} />}
      <Section heading="Resource" count={span.resource.attributes.length}>
        <Facts facts={[{ label: 'Schema', value: span.resource.schemaUrl }]} />
        <AttributeTable attributes={span.resource.attributes} />
      </Section>
    </>
  );
}

function SpanFacts({ span }: { readonly span: SpanDetails }): ReactElement {
  const nanos = nanosBetween(span.startNanos, span.endNanos);
  return (
    <Facts
      facts={[
        { label: 'Span name', value: span.name },
        { label: 'Kind', value: span.kind },
        { label: 'Status', value: span.status },
        { label: 'Duration', value: nanos === undefined ? 'in progress' : `${formatExact(nanos)} ns` },
        { label: 'Flags', value: span.flags },
        { label: 'Trace state', value: span.traceState },
        { label: 'Dropped', value: span.dropped.join('; ') },
      ]}
    />
  );
}

function Events({ span }: { readonly span: SpanDetails }): ReactElement {
  return (
    <Section heading="Events" count={span.events.length}>
      <ol className={styles.items}>
        {span.events.map(({ name, timeNanos, attributes, dropped }, index) => {
          const nanos = nanosBetween(span.startNanos, timeNanos);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: events may be alike, and never change their order
            <li key={index}>
              <h4>
                {name || '(no name)'}
                <small>{nanos === undefined ? 'no time' : `after ${formatDuration(nanos / 1000)}`}</small>
              </h4>
              <AttributeTable attributes={attributes} dropped={dropped} />
            </li>
          );
        })}
      </ol>
    </Section>
  );
}

function Links({ span, tree }: { readonly span: SpanDetails; readonly tree: TraceTree }): ReactElement {
  return (
    <Section heading="Links" count={span.links.length}>
      <ol className={styles.items}>
        {span.links.map(({ traceId, spanId, traceState, attributes, dropped }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: links may be alike, and never change their order
          <li key={index}>
            <LinkTarget tree={tree} traceId={formatTraceId(traceId)} id={spanId} />
            <Facts facts={[{ label: 'Trace state', value: traceState }]} />
            <AttributeTable attributes={attributes} dropped={dropped} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Section({
  heading,
  count,
  children,
}: {
  readonly heading: string;
  readonly count: number;
  readonly children: React.ReactNode;
}): ReactElement | null {
  if (count === 0) return null;
  return (
    <section className={styles.section} aria-label={heading}>
      <h3>
        {heading} <small>{count}</small>
      </h3>
      {children}
    </section>
  );
}
