import { isJsonObject, isNumber, type JsonValue } from 'openray/model';
import type { ReactElement } from 'react';
import type { Entity } from '../entities.ts';
import { EmptyMessage, type FactList, Facts } from './facts.tsx';

/** The resource that it ran on or called: `origin`, `resource_arn` and the `aws` block, a row for each value. */
export function ResourcesTab({ entity }: { readonly entity: Entity }): ReactElement {
  const { aws } = entity.fields;
  const facts: FactList = [
    { label: 'Origin', value: entity.origin },
    { label: 'ARN', value: entity.resourceArn },
    ...(isJsonObject(aws) ? leaves(aws, '') : []),
  ];
  if (facts.every(({ value }) => !value)) {
    return <EmptyMessage>This {entity.kind} has no origin, no ARN and no AWS data.</EmptyMessage>;
  }
  return <Facts facts={facts} />;
}

/** Every nested value, labelled with its path: `cloudwatch_logs.0.log_group`. */
function leaves(value: JsonValue, path: string): FactList {
  if (value === null || typeof value !== 'object' || isNumber(value)) return [{ label: path, value: String(value) }];
  return Object.entries(value).flatMap(([key, member]) =>
    leaves(member as JsonValue, path === '' ? key : `${path}.${key}`),
  );
}
