import { Link } from '@tanstack/react-router';
import { isJsonObject, isNumber, printJson } from 'openray/model';
import type { ReactElement } from 'react';
import { annotationCondition } from '../../../shared/filter-text.ts';
import type { Entity } from '../entities.ts';
import { EmptyMessage } from './facts.tsx';
import styles from './table.module.css';

/** Annotations, each with a link to the traces that have the same value. */
export function AnnotationsTab({ entity }: { readonly entity: Entity }): ReactElement {
  const { annotations } = entity.fields;
  const pairs = isJsonObject(annotations) ? Object.entries(annotations) : [];
  if (pairs.length === 0) {
    return (
      <EmptyMessage>
        This {entity.kind} has no annotations. Annotations are indexed: filters find traces by them. With Powertools:
        tracer.putAnnotation(key, value).
      </EmptyMessage>
    );
  }
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Value</th>
          <th scope="col">Search</th>
        </tr>
      </thead>
      <tbody>
        {pairs.map(([key, value]) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td data-type={isNumber(value) ? 'number' : typeof value}>
              {typeof value === 'string' ? value : printJson(value)}
            </td>
            <td>
              {(typeof value === 'string' || typeof value === 'boolean' || isNumber(value)) && (
                <Link
                  to="/traces"
                  search={(before) => ({ range: before.range, live: before.live, q: annotationCondition(key, value) })}
                >
                  Find traces
                </Link>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
