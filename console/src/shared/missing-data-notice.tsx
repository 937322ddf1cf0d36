import type { ReactElement } from 'react';
import { formatTime } from './format.ts';
import type { MissingData } from './missing-data.ts';
import styles from './missing-data-notice.module.css';

/** Says which data is missing on the page; empty when none is. */
export function MissingDataNotice({ missing }: { readonly missing: MissingData | undefined }): ReactElement | null {
  if (missing === undefined) return null;
  if (!missing.isIncomplete && !missing.isDamaged && missing.prunedBeforeUs === undefined) return null;
  return (
    <div className={styles.notices}>
      {missing.isIncomplete && (
        <p role="alert" data-kind="incomplete">
          <strong>This is incomplete.</strong> A shard of the store cannot be reached, or the newest documents are not
          inserted yet. The page adds the missing data as soon as it can be read.
        </p>
      )}
      {missing.isDamaged && (
        <p role="alert" data-kind="incomplete">
          <strong>This may be incomplete.</strong> The store cannot read some of its data any more, which is left out
          here. The Server page names it.
        </p>
      )}
      {missing.prunedBeforeUs !== undefined && (
        <p role="note" data-kind="pruned">
          Some documents that arrived before {formatTime(missing.prunedBeforeUs).slice(0, 16)} are no longer kept:
          traces or parts of them may be missing here.
        </p>
      )}
    </div>
  );
}
