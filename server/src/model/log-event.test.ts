import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { levelOf, metricsOf } from './log-event.ts';

describe('a line of a log', () => {
  test.each([
    ['2024-05-24T14:13:22.123Z\t2f6f6a3e\tERROR\tno', 'ERROR'],
    ['[WARNING]\t2024-05-24T14:13:22.123Z\t2f6f6a3e\tcareful', 'WARN'],
    ['[Success] Added user', ''],
    ['{"level":"info","message":"hi"}', 'INFO'],
    ['{"log_level":"ERROR"}', 'ERROR'],
    ['{"level":7}', ''],
    ['ERROR is only a word', ''],
  ])('%j has the level %j', (text, level) => {
    expect(levelOf(text)).toBe(level);
  });

  test('in the embedded metric format has metrics', () => {
    const line = {
      _aws: {
        Timestamp: 1,
        CloudWatchMetrics: [
          {
            Namespace: 'Pycon2024',
            Dimensions: [['service']],
            Metrics: [{ Name: 'SuccessfulSubmission', Unit: 'Count' }, { Name: 'Sizes' }],
          },
        ],
      },
      service: 'users',
      SuccessfulSubmission: 1,
      Sizes: [1.5, 2],
    };
    const common = { namespace: 'Pycon2024', dimensions: { service: 'users' } };
    expect(metricsOf(JSON.stringify(line))).toEqual([
      { ...common, name: 'SuccessfulSubmission', unit: 'Count', values: [1] },
      { ...common, name: 'Sizes', unit: 'None', values: [1.5, 2] },
    ]);
  });

  test('may be any text', () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"_aws":{"CloudWatchMetrics":${json}}}`),
    );
    fc.assert(
      fc.property(line, (text) => {
        levelOf(text);
        metricsOf(text);
      }),
    );
  });
});
