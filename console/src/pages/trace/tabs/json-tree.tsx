import { isJsonObject, isNumber, type JsonObject, type JsonValue, printJson } from 'openray/model';
import type { ReactElement } from 'react';
import styles from './json-tree.module.css';

/** Members above this number are collapsed: a list of 10,000 lines is not readable. */
const FIRST_MEMBERS = 200;

/** JSON that expands and collapses, by mouse and keyboard; the first levels are expanded. */
export function JsonTree({ value }: { readonly value: JsonValue }): ReactElement {
  return (
    <div className={styles.tree}>
      {isBranch(value) ? <Members members={Object.entries(value)} depth={0} /> : <Leaf value={value} />}
    </div>
  );
}

type Branch = readonly JsonValue[] | JsonObject;

/** An object or list with members. */
function isBranch(value: JsonValue): value is Branch {
  return (Array.isArray(value) || isJsonObject(value)) && Object.keys(value).length > 0;
}

function Leaf({ value }: { readonly value: JsonValue }): ReactElement {
  return (
    <span data-type={value === null ? 'null' : isNumber(value) ? 'number' : typeof value}>{printJson(value)}</span>
  );
}

function BranchView({
  name,
  value,
  depth,
}: {
  readonly name: string;
  readonly value: Branch;
  readonly depth: number;
}): ReactElement {
  const members = Object.entries(value) as [string, JsonValue][];
  const unit = Array.isArray(value) ? 'item' : 'key';
  return (
    <details open={depth < 3}>
      <summary>
        <b>{name}</b>
        <small>
          {members.length} {unit}
          {members.length === 1 ? '' : 's'}
        </small>
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

function Members({
  members,
  depth,
}: {
  readonly members: readonly [string, JsonValue][];
  readonly depth: number;
}): ReactElement {
  return (
    <ul>
      {members.map(([key, member]) => (
        <li key={key}>
          {isBranch(member) ? (
            <BranchView name={key} value={member} depth={depth + 1} />
          ) : (
            <>
              <b>{key}</b>: <Leaf value={member} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
