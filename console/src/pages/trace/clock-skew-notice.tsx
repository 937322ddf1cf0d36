import type { ReactElement } from 'react';
import styles from '../../shared/missing-data-notice.module.css';
import type { ClockSkewNotice as Notice } from './clock-skews.ts';

/** Shows which clocks disagree, since bars of such services stand at a wrong time; empty when all agree. */
export function ClockSkewNotice({
  notices,
  onSelect,
}: {
  readonly notices: readonly Notice[];
  readonly onSelect: (id: string) => void;
}): ReactElement | null {
  if (notices.length === 0) return null;
  return (
    <div className={styles.notices}>
      {notices.map(({ id, sentence }) => (
        <p key={id} role="note" data-kind="clock-skew">
          <strong>Clocks disagree.</strong> {sentence}{' '}
          <button type="button" onClick={() => onSelect(id)}>
            Show segment
          </button>
        </p>
      ))}
    </div>
  );
}
