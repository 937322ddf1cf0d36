import { OUTCOMES } from 'openray/model';
import type { ReactElement } from 'react';
import { formatCount, formatShare } from './format.ts';
import { OUTCOME_LABEL, type OutcomeCounts, totalOf } from './outcome.ts';
import styles from './outcome-bar.module.css';

/** Count and share of each outcome, as a table with a colour for each row. */
export function OutcomeTable({ counts }: { readonly counts: OutcomeCounts }): ReactElement {
  const total = totalOf(counts);
  return (
    <>
      <OutcomeBar counts={counts} />
      <table className={styles.table}>
        <tbody>
          {OUTCOMES.map((outcome) => (
            <tr key={outcome} data-none={counts[outcome] === 0}>
              <th scope="row">
                <i style={{ background: `var(--${outcome})` }} />
                {OUTCOME_LABEL[outcome]}
              </th>
              <td>{formatCount(counts[outcome])}</td>
              <td>{formatShare(counts[outcome], total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** The share of each outcome, as one thin bar. */
export function OutcomeBar({ counts }: { readonly counts: OutcomeCounts }): ReactElement {
  return (
    <div className={styles.bar} aria-hidden="true">
      {OUTCOMES.map((outcome) => (
        <div key={outcome} style={{ flexGrow: counts[outcome], background: `var(--${outcome})` }} />
      ))}
    </div>
  );
}
