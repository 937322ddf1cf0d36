import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import { type ReactElement, type ReactNode, useMemo, useState } from 'react';
import { documentJson } from '../document-json.ts';
import type { Entity } from '../entities.ts';
import { useSpan } from '../use-span.ts';
import styles from './code.module.css';
import { EmptyMessage } from './facts.tsx';

type Props = { readonly traceId: string; readonly entity: Entity };

/** Longer documents are shown in part, since the browser would stall on a text of megabytes. A copy is complete. */
const SHOWN_CHARS = 200_000;

/** The entity as X-Ray document or as OpenTelemetry span. */
export function RawTab({ traceId, entity }: Props): ReactElement {
  const [form, setForm] = useState<'xray' | 'otlp'>('xray');
  const choice = (
    <SegmentedControl
      label="Format"
      selectedId={form}
      options={[
        { id: 'xray', text: 'X-Ray' },
        { id: 'otlp', text: 'OpenTelemetry' },
      ]}
      onChange={({ detail }) => setForm(detail.selectedId === 'otlp' ? 'otlp' : 'xray')}
    />
  );
  return form === 'xray' ? (
    <XrayDocument entity={entity}>{choice}</XrayDocument>
  ) : (
    <OtlpSpan traceId={traceId} entity={entity}>
      {choice}
    </OtlpSpan>
  );
}

type FormProps = { readonly entity: Entity; readonly children: ReactNode };

/** The document with its own subsegments. */
function XrayDocument({ entity, children }: FormProps): ReactElement {
  const json = useMemo(() => documentJson(entity), [entity]);
  return <Code json={json}>{children}</Code>;
}

/** The span with its resource and scope, so that it can be sent to any `/v1/traces` as it is. */
function OtlpSpan({ traceId, entity, children }: FormProps & { readonly traceId: string }): ReactElement {
  const { data, error } = useSpan(traceId, entity.id);
  if (data) return <Code json={JSON.stringify({ resourceSpans: data.ResourceSpans }, null, 2)}>{children}</Code>;
  return (
    <>
      <div className={styles.actions}>{children}</div>
      <EmptyMessage>{error ? `There is no span to show: ${error.message}` : 'Loading the span'}</EmptyMessage>
    </>
  );
}

function Code({ json, children }: { readonly json: string; readonly children: ReactNode }): ReactElement {
  return (
    <>
      <div className={styles.actions}>
        {children}
        <CopyToClipboard
          copyButtonText="Copy"
          textToCopy={json}
          copySuccessText="Copied"
          copyErrorText="Could not copy"
        />
      </div>
      <pre className={styles.code}>
        {json.slice(0, SHOWN_CHARS)}
        {json.length > SHOWN_CHARS && `\n… ${json.length - SHOWN_CHARS} more characters; copy it to see them`}
      </pre>
    </>
  );
}
