import { type JsonObject, readText } from 'openray/model';
import type { ReactElement } from 'react';
import styles from './code.module.css';
import { Facts } from './facts.tsx';

/** The SQL statement, and the database that it was sent to. */
export function SqlTab({ sql }: { readonly sql: JsonObject }): ReactElement {
  const { sanitized_query, ...rest } = sql;
  const query = readText(sanitized_query);
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
