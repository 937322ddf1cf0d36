import { isNumber } from 'openray/model';
import type { ReactElement } from 'react';
import { formatExact } from '../../../shared/format.ts';
import type { Attribute } from '../span-details.ts';
import styles from './attribute-table.module.css';
import { JsonTree } from './json-tree.tsx';

type Props = { readonly attributes: readonly Attribute[]; readonly dropped?: number };

/** Attributes with their types, in the order in which they were sent. The sender dropped `dropped` more. */
export function AttributeTable({ attributes, dropped = 0 }: Props): ReactElement | null {
  if (attributes.length === 0 && dropped === 0) return null;
  return (
    <table className={styles.attributes}>
      <tbody>
        {attributes.map(({ key, value, type }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a key may be sent twice, and the list never changes its order
          <tr key={index}>
            <th scope="row">{key}</th>
            <td>{typeof value === 'object' && !isNumber(value) ? <JsonTree value={value} /> : String(value)}</td>
            <td>{type}</td>
          </tr>
        ))}
      </tbody>
      {dropped > 0 && (
        <tfoot>
          <tr>
            <td colSpan={3}>{formatExact(dropped)} more were dropped by the sender</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}
