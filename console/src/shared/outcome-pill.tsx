import type { Outcome } from 'openray/model';
import type { ReactElement } from 'react';
import styles from './outcome-pill.module.css';

const SHORT: Readonly<Record<Outcome, string>> = { ok: 'OK', error: 'Error', throttle: 'Throttle', fault: 'Fault' };

type Props = { readonly outcome: Outcome; readonly note?: string | undefined };

/** An outcome as word and colour; `note` is for example `inside`, for an outcome below the root. */
export function OutcomePill({ outcome, note }: Props): ReactElement {
  return (
    <span className={styles.pill} data-outcome={outcome}>
      <i aria-hidden="true" />
      {SHORT[outcome]}
      {note && <small>{note}</small>}
    </span>
  );
}
