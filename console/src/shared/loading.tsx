import Spinner from '@cloudscape-design/components/spinner';
import type { ReactElement } from 'react';
import styles from './loading.module.css';

/** Placeholder of a page's content; `text` names the data that is loading. */
export function Loading({ text }: { readonly text: string }): ReactElement {
  return (
    <div className={styles.loading}>
      <Spinner size="large" /> {text}
    </div>
  );
}
