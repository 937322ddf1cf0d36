import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { TraceTree } from '../entities.ts';
import styles from './link-target.module.css';

type Props = { readonly tree: TraceTree; readonly traceId: string; readonly id: string | undefined };

/** Link to the segment or subsegment `id`, of this trace or of another. */
export function LinkTarget({ tree, traceId, id }: Props): ReactElement {
  const isHere = traceId === tree.id;
  const entity = isHere && id !== undefined ? tree.byId.get(id) : undefined;
  return (
    <Link
      to="/traces/$id"
      params={{ id: traceId }}
      search={(before) => ({ range: before.range, live: before.live, entity: id })}
      className={styles.link}
    >
      {entity?.name ?? traceId}
      {id !== undefined && <small>{isHere ? `${id}, in this trace` : id}</small>}
    </Link>
  );
}
