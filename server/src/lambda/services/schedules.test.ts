import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { openLocalLambda, resultOf } from '../testing/local-lambda.ts';
import { scheduledPayload } from './scheduled-payload.ts';
import type { SchedulerClock } from './scheduler.ts';

const TEMPLATE = `
Globals: {Function: {Runtime: nodejs20.x, CodeUri: app, Timeout: 20, Tracing: Active, Handler: index.handler}}
Resources:
  Jobs: {Type: AWS::SQS::Queue}
  Often: {Type: AWS::Serverless::Function, Properties: {Events: {Tick: {Type: Schedule, Properties: {Schedule: rate(2 minutes)}}}}}
  Nightly:
    Type: AWS::Serverless::Function
    Properties: {Events: {Night: {Type: ScheduleV2, Properties: {ScheduleExpression: 'cron(30 3 * * ? *)', ScheduleExpressionTimezone: Europe/Berlin, Input: '{"at":"<aws.scheduler.scheduled-time>"}'}}}}
  Never: {Type: AWS::Serverless::Function, Properties: {Events: {Off: {Type: Schedule, Properties: {Schedule: rate(1 minute), Enabled: false}}}}}
  Wrong: {Type: AWS::Serverless::Function, Properties: {Events: {Bad: {Type: Schedule, Properties: {Schedule: now and then}}}}}
  Plain: {Type: AWS::Scheduler::Schedule, Properties: {Name: plain, ScheduleExpression: at(2024-05-24T00:03:00), FlexibleTimeWindow: {Mode: 'OFF'}, Target: {Arn: !GetAtt Often.Arn}}}
  Rule: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: 'cron(0/4 * * * ? *)', Targets: [{Id: q, Arn: !GetAtt Jobs.Arn, Input: '{"job":1}'}]}}
`;

const CODE = `exports.handler = async (event) => { console.log('GOT ' + JSON.stringify(event)); return process.env.AWS_ENDPOINT_URL_SQS; };`;

/** A clock that only `advance` moves. */
function handClock(startMs: number): SchedulerClock & { readonly advance: (minutes: number) => void } {
  let nowMs = startMs;
  let due: { atMs: number; then: () => void } | undefined;
  return {
    nowMs: () => nowMs,
    after(ms, then) {
      const own = { atMs: nowMs + ms, then };
      due = own;
      return () => {
        if (due === own) due = undefined;
      };
    },
    advance(minutes) {
      const untilMs = nowMs + minutes * 60_000;
      while (due !== undefined && due.atMs <= untilMs) {
        const { atMs, then } = due;
        due = undefined;
        nowMs = atMs;
        then();
      }
      nowMs = untilMs;
    },
  };
}

async function open(options: { readonly runsSchedules?: boolean }) {
  const clock = handClock(Date.parse('2024-05-24T00:00:10Z'));
  const local = await openLocalLambda({ 'template.yaml': TEMPLATE, 'app/index.js': CODE }, { ...options, clock });
  onTestFinished(local.close);
  const got = (name: string) =>
    local.logEvents
      .filter(({ functionName, text }) => functionName === name && text.includes('GOT '))
      .map(({ text }) => JSON.parse(text.slice(text.indexOf('GOT ') + 4)) as JsonObject);
  return { ...local, clock, got };
}

test('schedules invoke their targets when they are due, each time in a new trace', async () => {
  const { clock, got, lambda, invoke, warnings, daemon } = await open({ runsSchedules: true });
  expect(warnings).toContain('Wrong.Events.Bad: "now and then" is not a schedule; it does not run.');
  clock.advance(1);
  await lambda.whenIdle();
  expect(got('Often')).toEqual([]);
  clock.advance(3);
  await lambda.whenIdle();
  const ticks = got('Often').filter(({ source }) => source === 'aws.events');
  expect(ticks.map(({ time }) => time).sort()).toEqual(['2024-05-24T00:02:00Z', '2024-05-24T00:04:00Z']);
  expect(ticks[0]).toMatchObject({
    'detail-type': 'Scheduled Event',
    resources: ['arn:aws:events:us-east-1:000000000000:rule/OftenTick'],
    detail: {},
  });
  expect(got('Often').filter(({ source }) => source === 'aws.scheduler')).toMatchObject([
    { time: '2024-05-24T00:03:00Z', resources: [expect.stringMatching(/:schedule\/default\/plain$/)] },
  ]);
  clock.advance(120);
  await lambda.whenIdle();
  expect(got('Nightly')).toEqual([{ at: '2024-05-24T01:30:00Z' }]);
  expect(got('Never')).toEqual([]);

  const roots = daemon.documents.filter(({ origin, in_progress: open }) => origin === 'AWS::Lambda' && open !== true);
  expect(roots.every(({ parent_id: parent }) => parent === undefined)).toBe(true);
  expect(new Set(roots.map(({ trace_id: id }) => id)).size).toBe(roots.length);

  const sqs = new SQSClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    endpoint: resultOf(await invoke('Never')) as string,
  });
  onTestFinished(() => sqs.destroy());
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'Jobs' }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  expect(Messages.length).toBe(10);
  expect(new Set(Messages.map(({ Body }) => Body))).toEqual(new Set(['{"job":1}']));
});

test('schedules run only with runsSchedules; without it a payload can be made by hand', async () => {
  const { clock, got, lambda, invoke } = await open({});
  clock.advance(24 * 60);
  await lambda.whenIdle();
  expect(got('Often')).toEqual([]);
  const [tick] = lambda.schedules();
  expect(tick).toMatchObject({ name: 'OftenTick', text: 'rate(2 minutes)' });
  const call = { id: 'one', atMs: 0, region: 'us-east-1', accountId: '000000000000' };
  await invoke('Often', scheduledPayload(tick as NonNullable<typeof tick>, { input: undefined }, call));
  await expect.poll(() => got('Often')).toMatchObject([{ id: 'one', time: '1970-01-01T00:00:00Z' }]);
});
