import type { Outcome } from 'openray/model';
import type { ReactElement } from 'react';
import styles from './outcome-pill.module.css';

const SHORT: Readonly<Record<Outcome, string>> = { ok: 'OK', error: 'Error', throttle: 'Throttle', fault: 'Fault' };

/** How something ended, in a word and a colour; `note` says where, when it was not the thing itself. */
export function OutcomePill({ outcome, note }: { readonly outcome: Outcome; readonly note?: string }): ReactElement {
  return (
    <span className={styles.pill} data-outcome={outcome}>
      <i aria-hidden="true" />
      {SHORT[outcome]}
      {note && <small>{note}</small>}
    </span>
  );
}
