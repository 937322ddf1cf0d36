import Button from '@cloudscape-design/components/button';
import { type ReactElement, useEffect, useState } from 'react';
import styles from './filter-box.module.css';
import { FilterField } from './filter-field.tsx';

type Props = {
  /** The filter that is in force. */
  readonly filter: string;
  /** The time range whose names are offered. */
  readonly range: string;
  readonly onApply: (filter: string) => void;
  readonly placeholder: string;
};

/** The query box: what is typed takes effect with Enter or the button. */
export function FilterBox({ filter, range, onApply, placeholder }: Props): ReactElement {
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const apply = (next: string) => onApply(next.trim());
  return (
    <search className={styles.box}>
      <FilterField text={text} range={range} onChange={setText} onApply={apply} placeholder={placeholder} />
      {text !== '' && <Button variant="icon" iconName="close" ariaLabel="Clear the filter" onClick={() => apply('')} />}
      <Button variant={text.trim() === filter ? 'normal' : 'primary'} onClick={() => apply(text)}>
        Run
      </Button>
    </search>
  );
}
