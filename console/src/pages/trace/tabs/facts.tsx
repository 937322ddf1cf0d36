import type { ReactElement, ReactNode } from 'react';
import styles from './facts.module.css';

export type FactList = readonly { readonly label: string; readonly value: ReactNode }[];

/** Labels and values; facts without a value are left out. */
export function Facts({
  heading,
  facts,
}: {
  readonly heading?: string;
  readonly facts: FactList;
}): ReactElement | null {
  const known = facts.filter(({ value }) => value !== undefined && value !== null && value !== '');
  if (known.length === 0) return null;
  return (
    <section className={styles.facts}>
      {heading && <h3>{heading}</h3>}
      <dl>
        {known.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** The text of a tab without data. */
export function EmptyMessage({ children }: { readonly children: ReactNode }): ReactElement {
  return <p className={styles.empty}>{children}</p>;
}
