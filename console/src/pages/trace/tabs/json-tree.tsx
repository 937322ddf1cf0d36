import type { ReactElement } from 'react';
import type { Json } from '../entities.ts';
import styles from './json-tree.module.css';

/** More members than this are shown only when asked for: a page of 10,000 lines helps nobody. */
const FIRST_MEMBERS = 200;

/** JSON that opens and closes, by mouse and keyboard; the first two levels are open. */
export function JsonTree({ value }: { readonly value: Json }): ReactElement {
  return (
    <div className={styles.tree}>
      <Value value={value} depth={0} />
    </div>
  );
}

function Value({ value, depth }: { readonly value: Json; readonly depth: number }): ReactElement {
  if (value === null || typeof value !== 'object') {
    return <span data-type={value === null ? 'null' : typeof value}>{JSON.stringify(value)}</span>;
  }
  const members = Object.entries(value) as [string, Json][];
  const isList = Array.isArray(value);
  if (members.length === 0) return <span>{isList ? '[]' : '{}'}</span>;
  return (
    <details open={depth < 3}>
      <summary>
        {isList ? '[' : '{'}
        <small>
          {members.length} {isList ? (members.length === 1 ? 'item' : 'items') : members.length === 1 ? 'key' : 'keys'}
        </small>
        {isList ? ']' : '}'}
      </summary>
      <Members members={members.slice(0, FIRST_MEMBERS)} depth={depth} />
      {members.length > FIRST_MEMBERS && (
        <details>
          <summary>{members.length - FIRST_MEMBERS} more</summary>
          <Members members={members.slice(FIRST_MEMBERS)} depth={depth} />
        </details>
      )}
    </details>
  );
}

function Members({ members, depth }: { readonly members: readonly [string, Json][]; readonly depth: number }): ReactElement {
  return (
    <ul>
      {members.map(([key, member]) => (
        <li key={key}>
          <b>{key}</b>: <Value value={member} depth={depth + 1} />
        </li>
      ))}
    </ul>
  );
}
