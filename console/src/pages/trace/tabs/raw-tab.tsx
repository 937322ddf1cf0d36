import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import { type ReactElement, useMemo } from 'react';
import type { Entity, JsonObject } from '../entities.ts';
import styles from './code.module.css';

/** Larger documents are copied whole but shown in part: the browser would stall on one text of megabytes. */
const SHOWN_CHARS = 200_000;

/** The document as the server has it, own subsegments included. */
export function RawTab({ entity }: { readonly entity: Entity }): ReactElement {
  const json = useMemo(() => JSON.stringify(documentOf(entity), null, 2), [entity]);
  return (
    <>
      <div className={styles.actions}>
        <CopyToClipboard
          copyButtonText="Copy the document"
          textToCopy={json}
          copySuccessText="Copied"
          copyErrorText="Could not copy"
        />
      </div>
      <pre className={styles.code}>
        {json.slice(0, SHOWN_CHARS)}
        {json.length > SHOWN_CHARS && `\n… ${json.length - SHOWN_CHARS} more characters; copy the document to see them`}
      </pre>
    </>
  );
}

function documentOf(entity: Entity): JsonObject {
  const subsegments = entity.children.filter(({ kind }) => kind === 'subsegment').map(documentOf);
  return subsegments.length === 0 ? entity.fields : { ...entity.fields, subsegments };
}
