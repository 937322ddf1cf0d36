import Button from '@cloudscape-design/components/button';
import { lazy, type ReactElement, Suspense, useEffect, useState } from 'react';
import styles from './filter-box.module.css';
import { useVocabulary } from './use-vocabulary.ts';

const FilterEditor = lazy(() => import('./filter-editor/editor.tsx'));

type Props = {
  /** The filter that is in force. */
  readonly filter: string;
  /** The time range whose names are offered. */
  readonly range: string;
  readonly onApply: (filter: string) => void;
  readonly placeholder: string;
};

/** The query box: what is typed takes effect with Enter or the button. Until the editor is loaded it is a plain field. */
export function FilterBox({ filter, range, onApply, placeholder }: Props): ReactElement {
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const vocabulary = useVocabulary(range);
  const apply = (next: string) => onApply(next.trim());
  return (
    <search className={styles.box}>
      <Suspense
        fallback={
          <input
            className={styles.plain}
            aria-label="Filter expression"
            placeholder={placeholder}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => event.key === 'Enter' && apply(text)}
          />
        }
      >
        <FilterEditor
          text={text}
          onChange={setText}
          onApply={apply}
          placeholder={placeholder}
          vocabulary={vocabulary}
        />
      </Suspense>
      {text !== '' && <Button variant="icon" iconName="close" ariaLabel="Clear the filter" onClick={() => apply('')} />}
      <Button variant={text.trim() === filter ? 'normal' : 'primary'} onClick={() => apply(text)}>
        Run
      </Button>
    </search>
  );
}
