import type { ReactElement } from 'react';
import { isObject, type Json, text } from '../entities.ts';
import styles from './code.module.css';
import { Facts, Nothing } from './facts.tsx';

/** The statement and where it was sent. */
export function SqlTab({ sql }: { readonly sql: Json | undefined }): ReactElement {
  if (!isObject(sql)) return <Nothing>This was no call to an SQL database.</Nothing>;
  const { sanitized_query, ...rest } = sql;
  const query = text(sanitized_query);
  return (
    <>
      {query && <pre className={styles.code}>{query}</pre>}
      <Facts
        facts={Object.entries(rest).map(([label, value]) => ({
          label: label.replaceAll('_', ' '),
          value: String(value),
        }))}
      />
    </>
  );
}
