import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactElement, useId, useState } from 'react';
import { readTraceId } from './trace-id.ts';
import styles from './trace-id-box.module.css';

/** Opens a trace by its id in either form, also by a trace header or a log line with the id. */
export function TraceIdBox(): ReactElement {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [isInvalid, setIsInvalid] = useState(false);
  const messageId = useId();

  const open = (pasted: string): boolean => {
    const id = readTraceId(pasted);
    if (id === undefined) return false;
    setText('');
    setIsInvalid(false);
    void navigate({ to: '/traces/$id', params: { id } });
    return true;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== '') setIsInvalid(!open(text));
  };

  return (
    <search className={styles.box}>
      <form onSubmit={submit}>
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path
            d="M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2Zm3.6 8.6L14 14"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.8"
          />
        </svg>
        <input
          aria-label="Open a trace by its id"
          aria-invalid={isInvalid}
          aria-describedby={isInvalid ? messageId : undefined}
          placeholder="Trace id: 1-5f84c7a9-…"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setIsInvalid(false);
          }}
          onPaste={(event) => {
            if (text === '' && open(event.clipboardData.getData('text'))) event.preventDefault();
          }}
        />
      </form>
      {isInvalid && (
        <p id={messageId} role="alert" className={styles.message}>
          This is not a trace id. A trace id looks like <code>1-5f84c7a9-3c4d5e6f708192a3b4c5d6e7</code>, or has 32 hex
          digits. For other searches, use the query box on the Traces page.
        </p>
      )}
    </search>
  );
}
