import { lazy, type ReactElement, Suspense } from 'react';
import styles from './filter-field.module.css';
import { useVocabulary } from './use-vocabulary.ts';

const FilterEditor = lazy(() => import('./filter-editor/editor.tsx'));

type Props = {
  readonly text: string;
  /** Completions offer names of this time range. */
  readonly range: string;
  readonly onChange: (text: string) => void;
  /** Called on Enter. */
  readonly onApply: (text: string) => void;
  readonly placeholder: string;
};

/** Input of a filter expression: a plain field until the editor is loaded. */
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
