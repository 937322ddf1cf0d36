import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
  startCompletion,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { linter } from '@codemirror/lint';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  keymap,
  placeholder,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view';
import { type ReactElement, useEffect, useRef } from 'react';
import styles from './editor.module.css';
import { complete, filterErrorIn, tokens, type Vocabulary } from './language.ts';

type Props = {
  readonly text: string;
  readonly onChange: (text: string) => void;
  /** Called on Enter. */
  readonly onApply: (text: string) => void;
  readonly placeholder: string;
  /** Names to offer at a position of the text; called when completions open. */
  readonly vocabulary: (text: string, offset: number) => Promise<Vocabulary>;
};

/** Editor of one line with a filter expression: colours, checks while typing, completions. */
export default function FilterEditor(props: Props): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  // The editor lives longer than one rendering: its callbacks read the newest props from here.
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (!host.current) return;
    const { text, placeholder: hint } = latest.current;
    const editor = new EditorView({
      parent: host.current,
      doc: text,
      extensions: extensions(hint, {
        onChange: (next) => latest.current.onChange(next),
        onApply: (next) => latest.current.onApply(next),
        vocabulary: (...position) => latest.current.vocabulary(...position),
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === props.text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.text } });
  }, [props.text]);

  return <div ref={host} className={styles.editor} />;
}

function extensions(
  hint: string,
  { onChange, onApply, vocabulary }: Pick<Props, 'onChange' | 'onApply' | 'vocabulary'>,
): Extension {
  return [
    history(),
    oneLine,
    colours,
    linter(
      ({ state }) => {
        const error = filterErrorIn(state.doc.toString());
        return error ? [{ ...error, severity: 'error' }] : [];
      },
      { delay: 300 },
    ),
    autocompletion({
      override: [(context) => completions(context, vocabulary)],
      activateOnTyping: true,
      icons: false,
      maxRenderedOptions: 60,
    }),
    placeholder(hint),
    EditorView.contentAttributes.of({
      'aria-label': 'Filter expression',
      'aria-multiline': 'false',
      spellcheck: 'false',
    }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange(update.state.doc.toString());
    }),
    // The completions' keys come first: Enter accepts an open completion.
    keymap.of(completionKeymap),
    keymap.of([
      {
        key: 'Enter',
        run: ({ state }) => {
          onApply(state.doc.toString());
          return true;
        },
      },
      { key: 'ArrowDown', run: startCompletion },
      ...historyKeymap,
      ...defaultKeymap,
    ]),
  ];
}

/** Joins pasted lines into one; no key starts a second line. */
const oneLine = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.docChanged || transaction.newDoc.lines === 1) return transaction;
  const text = transaction.newDoc
    .toString()
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
  return [
    { changes: { from: 0, to: transaction.startState.doc.length, insert: text }, selection: { anchor: text.length } },
  ];
});

const colours = Prec.high(
  ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = decorate(view);
      }
      update(update: ViewUpdate): void {
        if (update.docChanged) this.decorations = decorate(update.view);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  ),
);

function decorate(view: EditorView): DecorationSet {
  return Decoration.set(
    tokens(view.state.doc.toString()).map(({ kind, start, end }) =>
      Decoration.mark({ class: styles[kind] ?? '' }).range(start, end),
    ),
  );
}

async function completions(
  { state, pos, explicit }: CompletionContext,
  vocabulary: Props['vocabulary'],
): Promise<CompletionResult | null> {
  const text = state.doc.toString();
  // In an empty box, only arrow down or Ctrl+Space opens the list.
  if (!explicit && text.slice(0, pos).trim() === '') return null;
  const offers = complete(text, pos, await vocabulary(text, pos));
  const first = offers[0];
  if (!first) return null;
  return {
    from: first.start,
    to: first.end,
    filter: false,
    options: offers.map(({ label, insert, detail, kind }) => ({ label, apply: insert, detail, type: kind })),
  };
}
