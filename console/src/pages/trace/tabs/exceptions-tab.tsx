import Link from '@cloudscape-design/components/link';
import type { ReactElement } from 'react';
import type { ShownException } from '../exceptions.ts';
import styles from './exceptions-tab.module.css';
import { EmptyMessage } from './facts.tsx';

type Props = {
  readonly exceptions: readonly ShownException[];
  readonly workingDirectory: string | undefined;
  readonly onSelect: (id: string) => void;
};

/** Exceptions with their stacks, in the order recorded. */
export function ExceptionsTab({ exceptions, workingDirectory, onSelect }: Props): ReactElement {
  if (exceptions.length === 0) return <EmptyMessage>No exception was recorded here.</EmptyMessage>;
  return (
    <div className={styles.exceptions}>
      {exceptions.map((exception, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: exceptions may lack an id, and the list never changes its order
        <article key={index}>
          <h3>
            {exception.type || 'Exception'}
            {exception.remote && <small>from the called service</small>}
          </h3>
          {exception.message && <p>{exception.message}</p>}
          {exception.recordedOn && (
            <p>
              Recorded on <EntityReference entity={exception.recordedOn} onSelect={onSelect} />
            </p>
          )}
          <Stack exception={exception} />
        </article>
      ))}
      {workingDirectory && <footer>Working directory: {workingDirectory}</footer>}
    </div>
  );
}

function EntityReference({
  entity,
  onSelect,
}: {
  readonly entity: NonNullable<ShownException['recordedOn']>;
  readonly onSelect: (id: string) => void;
}): ReactElement {
  return <Link onFollow={() => onSelect(entity.id)}>{entity.name}</Link>;
}

function Stack({
  exception: { stack = [], truncated = 0 },
}: {
  readonly exception: ShownException;
}): ReactElement | null {
  if (stack.length === 0) return null;
  return (
    <ol>
      {stack.map(({ path, line, label }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: recursion repeats frames, and the list never changes its order
        <li key={index}>
          {label || '(anonymous)'}
          {path && (
            <span>
              {path}
              {line !== undefined && `:${line}`}
            </span>
          )}
        </li>
      ))}
      {truncated > 0 && <li>… {truncated} more</li>}
    </ol>
  );
}
