import Button from '@cloudscape-design/components/button';
import { type ReactElement, useEffect, useState } from 'react';
import styles from './filter-box.module.css';
import { FilterField } from './filter-field.tsx';

type Props = {
  /** The applied filter. */
  readonly filter: string;
  /** Completions offer names of this time range. */
  readonly range: string;
  readonly onApply: (filter: string) => void;
  readonly placeholder: string;
};

/** The query box: Enter or the button applies the text. */
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
