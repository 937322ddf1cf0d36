import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { createGroup, deleteGroup, updateGroup } from '../../shared/api.ts';

export type GroupChange =
  | { readonly kind: 'create' | 'update'; readonly name: string; readonly expression: string }
  | { readonly kind: 'delete'; readonly name: string };

/** Makes, changes or deletes a group. All that is on screen is read again after it, as it may be of that group. */
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
