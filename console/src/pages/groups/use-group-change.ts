import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { createGroup, deleteGroup, updateGroup } from '../../shared/api.ts';

export type GroupChange =
  | { readonly kind: 'create' | 'update'; readonly name: string; readonly expression: string }
  | { readonly kind: 'delete'; readonly name: string };

/** Creates, changes or deletes a group, then fetches every query again, since each may depend on the group. */
export function useGroupChange(): UseMutationResult<object, Error, GroupChange> {
  const queries = useQueryClient();
  return useMutation({ mutationFn: send, onSuccess: () => queries.invalidateQueries() });
}

function send(change: GroupChange): Promise<object> {
  switch (change.kind) {
    case 'create':
      return createGroup({ GroupName: change.name, FilterExpression: change.expression });
    case 'update':
      return updateGroup({ GroupName: change.name, FilterExpression: change.expression });
    case 'delete':
      return deleteGroup(change.name);
  }
}
