import type { WireRootCause, WireTraceSummary } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatShare } from '../../shared/format.ts';
import { nodeTypeLabel } from '../../shared/node-type.ts';
import { rootCauseText } from './root-cause-text.ts';
import styles from './root-causes.module.css';

const KINDS = [
  { field: 'FaultRootCauses', label: 'Fault', color: 'var(--fault)' },
  { field: 'ErrorRootCauses', label: 'Error', color: 'var(--error)' },
  { field: 'ResponseTimeRootCauses', label: 'Response time', color: 'var(--accent)' },
] as const;

/** Root causes of faults, errors and response time; each path has the outermost service first. */
export function RootCauses({ summary }: { readonly summary: WireTraceSummary }): ReactElement | null {
  const causes = KINDS.flatMap(({ field, label, color }) => summary[field].map((cause) => ({ cause, label, color })));
  const [first] = causes;
  if (!first) return null;
  return (
    <details className={styles.rootCauses}>
      <summary>
        Root causes <span>({causes.length})</span>
        <span className={styles.first}>
          {first.label}: {rootCauseText(first.cause)}
        </span>
      </summary>
      <ul>
        {causes.map(({ cause, label, color }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: causes have no id, and their order is the server's
          <li key={index}>
            <b style={{ color }}>{label}</b>
            <Path cause={cause} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Path({ cause }: { readonly cause: WireRootCause }): ReactElement {
  return (
    <ol>
      {cause.Services.map((service, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same service may be on a path twice
        <li key={index}>
          <strong>{service.Name}</strong> <small>{nodeTypeLabel(service.Type)}</small>
          {service.EntityPath.filter(({ Name }, at) => at > 0 || Name !== service.Name).map(
            ({ Name, Coverage }, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same name may be on a path twice
              <span key={at}>
                {' › '}
                {Name}
                {Coverage !== undefined && <small> {formatShare(Coverage, 1)}</small>}
              </span>
            ),
          )}
          {service.EntityPath.flatMap(({ Exceptions }) => Exceptions ?? []).map(({ Name, Message }) => (
            <em key={`${Name}${Message}`}>
              {Name}: {Message}
            </em>
          ))}
        </li>
      ))}
    </ol>
  );
}
