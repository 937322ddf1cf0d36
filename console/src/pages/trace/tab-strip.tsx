import { type KeyboardEvent, type ReactElement, type ReactNode, useId } from 'react';
import styles from './tab-strip.module.css';

type Tab = { readonly id: string; readonly label: string; readonly count?: number; readonly content: ReactNode };

type Props = {
  readonly tabs: readonly Tab[];
  readonly active: string;
  readonly label: string;
  readonly onChange: (id: string) => void;
};

/** Tabs that are small enough to be all visible in a panel. Arrow keys, Home and End move between them. */
export function TabStrip({ tabs, active, label, onChange }: Props): ReactElement {
  const prefix = useId();
  const index = Math.max(
    0,
    tabs.findIndex(({ id }) => id === active),
  );
  const shown = tabs[index];

  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: index - 1,
      ArrowRight: index + 1,
      Home: 0,
      End: tabs.length - 1,
    };
    const target = moves[event.key];
    const next = target === undefined ? undefined : tabs[(target + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onChange(next.id);
    document.getElementById(`${prefix}${next.id}`)?.focus();
  };

  return (
    <>
      <div className={styles.strip} role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ id, label: text, count = 0 }) => (
          <button
            key={id}
            id={`${prefix}${id}`}
            type="button"
            role="tab"
            aria-selected={id === shown?.id}
            aria-controls={`${prefix}panel`}
            tabIndex={id === shown?.id ? 0 : -1}
            onClick={() => onChange(id)}
          >
            {text}
            {count > 0 && <small>{count}</small>}
          </button>
        ))}
      </div>
      <div id={`${prefix}panel`} role="tabpanel" aria-labelledby={`${prefix}${shown?.id}`}>
        {shown?.content}
      </div>
    </>
  );
}
