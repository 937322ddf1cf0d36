import { type ReactElement, useEffect, useMemo, useState } from 'react';
import type { TraceTree } from './entities.ts';
import { findEntities } from './rows.ts';
import styles from './waterfall-search.module.css';

type Props = {
  readonly tree: TraceTree;
  readonly onShow: (id: string) => void;
  readonly onMatches: (ids: ReadonlySet<string>) => void;
};

/** Finds words in names, URLs, annotations, events and exceptions; Enter and Shift+Enter move between the matches. */
export function WaterfallSearch({ tree, onShow, onMatches }: Props): ReactElement {
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  const matches = useMemo(() => findEntities(tree, words), [tree, words]);

  useEffect(() => onMatches(new Set(matches)), [matches, onMatches]);
  const go = (index: number) => {
    const next = (index + matches.length) % matches.length;
    const id = matches[next];
    if (id === undefined) return;
    setAt(next);
    onShow(id);
  };

  return (
    <search className={styles.search}>
      <input
        type="search"
        placeholder="Find in this trace"
        aria-label="Find in this trace"
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          go(event.shiftKey ? at - 1 : at + 1);
        }}
      />
      <output aria-live="polite">
        {words.trim() === ''
          ? ''
          : matches.length === 0
            ? 'nothing found'
            : at < 0
              ? `${matches.length} found, Enter shows the first`
              : `${at + 1} of ${matches.length}`}
      </output>
    </search>
  );
}
