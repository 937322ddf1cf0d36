import type { ReactElement } from 'react';
import { formatCount } from '../../shared/format.ts';
import styles from '../../shared/missing-data-notice.module.css';

/** Says that the page shows a part of a large trace, and offers the next parts. */
export function MorePartsNotice({
  shownCount,
  isLoading,
  onMore,
}: {
  readonly shownCount: number;
  readonly isLoading: boolean;
  readonly onMore: () => void;
}): ReactElement {
  return (
    <div className={styles.notices}>
      <p role="note" data-kind="parts">
        <strong>This trace is large.</strong> The page shows the {formatCount(shownCount)} segments and subsegments that
        arrived first; the parents of some may be missing.{' '}
        <button type="button" disabled={isLoading} onClick={onMore}>
          {isLoading ? 'Loading' : 'Load more'}
        </button>
      </p>
    </div>
  );
}
