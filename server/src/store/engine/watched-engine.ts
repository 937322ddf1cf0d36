import { causeMessageOf } from './clickhouse-errors.ts';
import type { Engine } from './engine.ts';

/** When calls of the engine last succeeded and failed, by a clock that no change of the time affects. */
export type EngineActivity = {
  /** End of the last call that succeeded; of the start before the first. */
  readonly answeredAtMs: number;
  /** Undefined if the last insert succeeded. */
  readonly insertFailure: { readonly atMs: number; readonly reason: string } | undefined;
};

/** The engine, and a record of its activity. */
export function watchEngine(
  engine: Engine,
  nowMs: () => number = () => performance.now(),
): { readonly engine: Engine; activity(): EngineActivity } {
  let activity: EngineActivity = { answeredAtMs: nowMs(), insertFailure: undefined };
  const onAnswer = () => {
    activity = { ...activity, answeredAtMs: nowMs() };
  };
  return {
    activity: () => activity,
    engine: {
      ...engine,
      async query(statement, options) {
        const result = await engine.query(statement, options);
        onAnswer();
        return result;
      },
      async *stream(statement, options) {
        for await (const rows of engine.stream(statement, options)) {
          onAnswer();
          yield rows;
        }
      },
      async command(statement, options) {
        await engine.command(statement, options);
        onAnswer();
      },
      async insert(block) {
        try {
          await engine.insert(block);
          activity = { answeredAtMs: nowMs(), insertFailure: undefined };
        } catch (thrown) {
          const reason = firstSentence(causeMessageOf(thrown));
          activity = { ...activity, insertFailure: { atMs: nowMs(), reason } };
          throw thrown;
        }
      },
    },
  };
}

const MAX_REASON = 200;
const firstSentence = (text: string): string => (text.split('\n')[0] ?? '').slice(0, MAX_REASON);
