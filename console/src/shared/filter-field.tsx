import { lazy, type ReactElement, Suspense } from 'react';
import styles from './filter-field.module.css';
import { useVocabulary } from './use-vocabulary.ts';

const FilterEditor = lazy(() => import('./filter-editor/editor.tsx'));

type Props = {
  readonly text: string;
  /** The time range whose names are offered. */
  readonly range: string;
  readonly onChange: (text: string) => void;
  /** Enter was pressed. */
  readonly onApply: (text: string) => void;
  readonly placeholder: string;
};

/** Where a filter expression is typed. Until the editor is loaded it is a plain field. */
export function FilterField({ text, range, onChange, onApply, placeholder }: Props): ReactElement {
  const vocabulary = useVocabulary(range);
  return (
    <Suspense
      fallback={
        <input
          className={styles.plain}
          aria-label="Filter expression"
          placeholder={placeholder}
          value={text}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => event.key === 'Enter' && onApply(text)}
        />
      }
    >
      <FilterEditor
        text={text}
        onChange={onChange}
        onApply={onApply}
        placeholder={placeholder}
        vocabulary={vocabulary}
      />
    </Suspense>
  );
}
