import type { WireRootCause } from 'openray/api-types';
import { formatShare } from '../../shared/format.ts';

/** The end of a path with its exception or its share: `fn › query: TypeError no`, `fn › load, 74 % of the time`. */
export function rootCauseText({ Services }: WireRootCause): string {
  const service = Services.at(-1);
  if (!service) return 'unknown';
  const entity = service.EntityPath.at(-1);
  const exception = Services.flatMap(({ EntityPath }) => EntityPath.flatMap(({ Exceptions }) => Exceptions ?? [])).at(
    -1,
  );
  const names = entity && entity.Name !== service.Name ? `${service.Name} › ${entity.Name}` : service.Name;
  if (exception) return `${names}: ${exception.Name} ${exception.Message}`.trim();
  return entity?.Coverage === undefined ? names : `${names}, ${formatShare(entity.Coverage, 1)} of the time`;
}
