import type { ReactElement } from 'react';
import { type Entity, isObject, type Json, textOf } from '../entities.ts';
import { EmptyMessage, type FactList, Facts } from './facts.tsx';

/** Where it ran, or which AWS resource it called: `origin`, `resource_arn` and the `aws` block, one line a value. */
export function ResourcesTab({ entity }: { readonly entity: Entity }): ReactElement {
  const { aws, resource_arn } = entity.fields;
  const facts: FactList = [
    { label: 'Origin', value: entity.origin },
    { label: 'ARN', value: textOf(resource_arn) },
    ...(isObject(aws) ? leaves(aws, '') : []),
  ];
  if (facts.every(({ value }) => !value)) {
    return <EmptyMessage>Nothing was recorded about where this ran or which AWS resource it called.</EmptyMessage>;
  }
  return <Facts facts={facts} />;
}

/** Every value below, labelled with its path: `cloudwatch_logs.0.log_group`. */
function leaves(value: Json, path: string): FactList {
  if (value === null || typeof value !== 'object') return [{ label: path, value: String(value) }];
  return Object.entries(value).flatMap(([key, member]) => leaves(member as Json, path === '' ? key : `${path}.${key}`));
}
