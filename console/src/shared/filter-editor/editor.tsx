import type { ReactElement } from 'react';
export default function FilterEditor({ text, onChange, onApply, placeholder }: { readonly text: string; readonly onChange: (t: string) => void; readonly onApply: (t: string) => void; readonly placeholder: string }): ReactElement {
  return <input style={{ flex: 1 }} aria-label="Filter expression" placeholder={placeholder} value={text} onChange={(e) => onChange(e.target.value)} onKeyDown={(e) => e.key === 'Enter' && onApply(text)} />;
}
