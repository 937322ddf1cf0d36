import type { ReactElement } from 'react';
import { formatTime } from './format.ts';
import type { MissingData } from './missing-data.ts';
import styles from './missing-data-notice.module.css';

/** Says what is missing on a page; nothing when nothing is. */
export function MissingDataNotice({ gaps }: { readonly gaps: MissingData | undefined }): ReactElement | null {
  if (!gaps?.isIncomplete && gaps?.prunedBeforeUs === undefined) return null;
  return (
    <div className={styles.notices}>
      {gaps.isIncomplete && (
        <p role="alert" data-kind="incomplete">
          <strong>This is incomplete.</strong> A part of the store can not be reached, and what it holds is missing
          here. The page fills itself when it is back.
        </p>
      )}
      {gaps.prunedBeforeUs !== undefined && (
        <p role="note" data-kind="pruned">
          Some of what arrived before {formatTime(gaps.prunedBeforeUs).slice(0, 16)} is no longer kept: there may be
          less here than there was.
        </p>
      )}
    </div>
  );
}
