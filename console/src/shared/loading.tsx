import Spinner from '@cloudscape-design/components/spinner';
import type { ReactElement } from 'react';
import styles from './loading.module.css';

/** What stands where a page's content will be; `text` says what is waited for. */
export function Loading({ text }: { readonly text: string }): ReactElement {
  return (
    <div className={styles.loading}>
      <Spinner size="large" /> {text}
    </div>
  );
}
