import Button from '@cloudscape-design/components/button';
import type { WireGroup } from 'openray/api-types';
import { type ReactElement, useId, useState } from 'react';
import cards from '../../shared/card-page.module.css';
import { FilterField } from '../../shared/filter-field.tsx';
import styles from './page.module.css';
import { useGroupChange } from './use-group-change.ts';

type Props = {
  /** The group to change; undefined for a new one. */
  readonly group: WireGroup | undefined;
  readonly range: string;
  readonly onDone: () => void;
};

/** Form for the name and the filter of a group. The server checks both. */
export function GroupForm({ group, range, onDone }: Props): ReactElement {
  const [name, setName] = useState(group?.GroupName ?? '');
  const [expression, setExpression] = useState(group?.FilterExpression ?? '');
  const change = useGroupChange();
  const nameId = useId();
  const submit = () => {
    const request = { kind: group === undefined ? 'create' : 'update', name: name.trim(), expression } as const;
    change.mutate(request, {
      onSuccess: () => {
        setName('');
        setExpression('');
        onDone();
      },
    });
  };
  const title = group === undefined ? 'New group' : `Change ${group.GroupName}`;
  return (
    <section className={cards.card} aria-label={title}>
      <h2>{title}</h2>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {group === undefined && (
          <>
            <label htmlFor={nameId}>Name</label>
            <input
              id={nameId}
              value={name}
              maxLength={32}
              placeholder="Letters, digits and hyphens"
              autoComplete="off"
              onChange={(event) => setName(event.target.value)}
            />
          </>
        )}
        <FilterField
          text={expression}
          range={range}
          onChange={setExpression}
          onApply={submit}
          placeholder="Filter of its traces, such as: service(&quot;checkout&quot;) AND responsetime > 2"
        />
        <Button variant="primary" loading={change.isPending}>
          {group === undefined ? 'Create' : 'Save'}
        </Button>
        {group !== undefined && (
          <Button formAction="none" onClick={onDone}>
            Cancel
          </Button>
        )}
      </form>
      {change.error && (
        <p className={styles.error} role="alert">
          {change.error.message}
        </p>
      )}
    </section>
  );
}
