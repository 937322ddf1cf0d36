import Select from '@cloudscape-design/components/select';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import styles from './group-select.module.css';
import { useGroups } from './use-groups.ts';

const ALL = { value: '', label: 'All traces' };

/** The group whose traces the page shows, kept in the URL. Hidden while the server has no group. */
export function GroupSelect(): ReactElement | null {
  const { inGroup } = useSearch({ from: '__root__' });
  const navigate = useNavigate();
  const { data = [] } = useGroups();
  const groups = data.flatMap(({ GroupName: value, FilterExpression: description }) =>
    description === undefined ? [] : [{ value, label: value, description }],
  );
  if (groups.length === 0 && inGroup === '') return null;
  const selected =
    groups.find(({ value }) => value === inGroup) ?? (inGroup === '' ? ALL : { value: inGroup, label: inGroup });
  return (
    <div className={styles.select}>
      <Select
        selectedOption={selected}
        options={[ALL, ...groups]}
        ariaLabel="Group"
        expandToViewport
        onChange={({ detail }) => {
          const next = detail.selectedOption.value ?? '';
          void navigate({ to: '.', search: (before) => ({ ...before, inGroup: next, page: undefined }) });
        }}
      />
    </div>
  );
}
