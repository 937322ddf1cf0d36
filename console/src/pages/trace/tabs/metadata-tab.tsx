import { isJsonObject } from 'openray/model';
import type { ReactElement } from 'react';
import type { Entity } from '../entities.ts';
import { EmptyMessage } from './facts.tsx';
import { JsonTree } from './json-tree.tsx';
import styles from './metadata-tab.module.css';

/** Metadata by namespace, each a tree of JSON. */
export function MetadataTab({ entity }: { readonly entity: Entity }): ReactElement {
  const { metadata } = entity.fields;
  const namespaces = isJsonObject(metadata) ? Object.entries(metadata) : [];
  if (namespaces.length === 0) {
    return (
      <EmptyMessage>
        This {entity.kind} has no metadata. Metadata is JSON that is shown but not indexed. With Powertools:
        tracer.putMetadata(key, value).
      </EmptyMessage>
    );
  }
  return (
    <div className={styles.namespaces}>
      {namespaces.map(([namespace, value]) => (
        <section key={namespace} aria-label={`Namespace ${namespace}`}>
          <h3>{namespace}</h3>
          <JsonTree value={value} />
        </section>
      ))}
    </div>
  );
}
