import { getRouteApi } from '@tanstack/react-router';
import { type ReactElement, useState } from 'react';
import cards from '../../shared/card-page.module.css';
import { FailureAlert } from '../../shared/failure-alert.tsx';
import { Loading } from '../../shared/loading.tsx';
import { useGroups } from '../../shared/use-groups.ts';
import { GroupForm } from './group-form.tsx';
import { GroupRow } from './group-row.tsx';
import styles from './page.module.css';

const route = getRouteApi('__root__');

/** The groups of traces: named filters for the service map and the list of traces. */
export function GroupsPage(): ReactElement {
  const { range } = route.useSearch();
  const { data: groups, error, refetch } = useGroups();
  const [changed, setChanged] = useState<string>();
  return (
    <div className={`${cards.page} ${styles.page}`}>
      <title>Groups · openray</title>
      <header>
        <h1>Groups</h1>
        <p>
          A group is a named filter. It contains every trace that matches the filter, also traces that arrived before
          the group was created.
        </p>
      </header>
      {error && <FailureAlert error={error} onRetry={() => void refetch()} />}
      {!groups && !error && <Loading text="Loading the groups" />}
      {groups && (
        <>
          <GroupForm
            key={changed ?? ''}
            group={groups.find(({ GroupName }) => GroupName === changed)}
            range={range}
            onDone={() => setChanged(undefined)}
          />
          <section className={cards.card} aria-label="Groups">
            <table className={styles.groups}>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Filter</th>
                  <th scope="col">
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {groups.map((group) => (
                  <GroupRow key={group.GroupARN} group={group} onChange={() => setChanged(group.GroupName)} />
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </div>
  );
}
