import Button from '@cloudscape-design/components/button';
import { Link } from '@tanstack/react-router';
import type { WireGroup } from 'openray/api-types';
import { type ReactElement, useState } from 'react';
import styles from './page.module.css';
import { useGroupChange } from './use-group-change.ts';

/** A group with links to its map and its traces, and its actions. `Default` has no actions. */
export function GroupRow({
  group,
  onChange,
}: {
  readonly group: WireGroup;
  readonly onChange: () => void;
}): ReactElement {
  const { GroupName: name, FilterExpression: expression } = group;
  const [isAsking, setIsAsking] = useState(false);
  const change = useGroupChange();
  const inGroup = expression === undefined ? '' : name;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{expression === undefined ? 'every trace' : <code>{expression}</code>}</td>
      <td className={styles.actions}>
        {isAsking ? (
          <>
            {change.error ? <span role="alert">{change.error.message}</span> : 'Its traces are kept.'}
            <Button
              variant="inline-link"
              loading={change.isPending}
              ariaLabel={`Delete ${name} now`}
              onClick={() => change.mutate({ kind: 'delete', name })}
            >
              Delete the group
            </Button>
            <Button variant="inline-link" onClick={() => setIsAsking(false)}>
              Keep it
            </Button>
          </>
        ) : (
          <>
            <Link
              to="/service-map"
              search={({ range, live }) => ({ range, live, inGroup })}
              aria-label={`Map of ${name}`}
            >
              Map
            </Link>
            <Link
              to="/traces"
              search={({ range, live }) => ({ range, live, inGroup })}
              aria-label={`Traces of ${name}`}
            >
              Traces
            </Link>
            {expression !== undefined && (
              <>
                <Button variant="inline-link" ariaLabel={`Change ${name}`} onClick={onChange}>
                  Change
                </Button>
                <Button variant="inline-link" ariaLabel={`Delete ${name}`} onClick={() => setIsAsking(true)}>
                  Delete
                </Button>
              </>
            )}
          </>
        )}
      </td>
    </tr>
  );
}
