import { randomUUID } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { LambdaApiRequest, LambdaApiResponse } from '../api/invoke-api.ts';
import type { QueueSource, ServiceSpecs } from '../template/event-sources.ts';
import { type ScheduleSpec, scheduledPayload } from '../template/schedules.ts';
import type { ProducerLink } from '../tracing/lambda-segments.ts';
import { type Broker, openBroker } from './broker.ts';
import { type LocalEndpoint, serveLocalServices } from './local-endpoint.ts';
import type { Queue } from './queue.ts';
import { type BatchResult, pollQueue, type QueuePoller } from './queue-source.ts';
import { openScheduler, type SchedulerClock, SYSTEM_CLOCK } from './scheduler.ts';

export type LocalServicesOptions = {
  readonly specs: ServiceSpecs;
  readonly accountId: string;
  readonly region: string;
  readonly invokeAsync: (functionArn: string, event: JsonValue, traceHeader: string | undefined) => void;
  readonly runBatch: (functionId: string, event: JsonObject, links: readonly ProducerLink[]) => Promise<BatchResult>;
  readonly invokeApi: (request: LambdaApiRequest) => Promise<LambdaApiResponse>;
  /** Called before each request of a function: the template may have another queue by now. */
  readonly refresh: () => void;
  /** Schedules run only where they are asked for. */
  readonly runsSchedules: boolean;
  readonly clock?: SchedulerClock | undefined;
  readonly warn: (sentence: string) => void;
};

/** What functions find of AWS around them. */
export type LocalServices = Pick<Broker, 'deliver'> & {
  /** Where Lambda, SQS, SNS and EventBridge answer; opened by the first who asks. */
  readonly endpointUrl: () => Promise<string>;
  /** Queues by the URL that they would have on AWS. */
  readonly queuePaths: () => ReadonlyMap<string, string>;
  /** From now on these. Queues that stay keep their messages. */
  readonly update: (specs: ServiceSpecs) => void;
  /** No function is busy with messages, and none waits that could be taken now. */
  readonly isIdle: () => boolean;
  /** Resolves when that is so. */
  readonly whenIdle: () => Promise<void>;
  readonly close: () => Promise<void>;
};

type ActivePoller = { readonly source: QueueSource; readonly queue: Queue; readonly poller: QueuePoller };

export function openLocalServices(options: LocalServicesOptions): LocalServices {
  const { accountId, region, invokeAsync: invoke, runBatch, invokeApi, refresh: beforeRequest, warn: note } = options;
  let { specs } = options;
  const broker = openBroker({ specs, accountId, region, invokeAsync: invoke, warn: note });
  let polled = poll([]);
  const closing = new Set<Promise<void>>();
  const clock = options.clock ?? SYSTEM_CLOCK;
  const scheduler = openScheduler(options.runsSchedules ? specs.schedules : [], runSchedule, clock);
  let endpoint: Promise<LocalEndpoint> | undefined;

  /** What polls as before goes on; the messages that it holds are its own. */
  function poll(before: readonly ActivePoller[]): readonly ActivePoller[] {
    return specs.queueSources.flatMap((source) => {
      const { functionId, queueArn } = source;
      const queue = broker.queue(queueArn);
      if (queue === undefined) {
        note(`${functionId}: its queue ${queueArn} is not in the template; nothing comes from there.`);
        return [];
      }
      const same = before.find((old) => old.queue === queue && JSON.stringify(old.source) === JSON.stringify(source));
      if (same !== undefined) return [same];
      return [
        { source, queue, poller: pollQueue(queue, source, region, (...batch) => runBatch(functionId, ...batch)) },
      ];
    });
  }

  function runSchedule(schedule: ScheduleSpec, atMs: number): void {
    for (const target of schedule.targets) {
      const call = { id: randomUUID(), atMs, region, accountId };
      broker.forward(target.arn, scheduledPayload(schedule, target, call), undefined);
    }
  }

  const isIdle = () => polled.every(({ poller }) => poller.isIdle());

  return {
    deliver: broker.deliver,
    queuePaths: () => new Map(specs.queues.map(({ url, name }) => [url, `/${accountId}/${name}`])),
    update(next) {
      specs = next;
      broker.update(next);
      const before = polled;
      polled = poll(before);
      for (const old of before) {
        if (polled.includes(old)) continue;
        const closed: Promise<void> = old.poller.close().finally(() => closing.delete(closed));
        closing.add(closed);
      }
      scheduler.update(options.runsSchedules ? next.schedules : []);
    },
    async endpointUrl() {
      endpoint ??= serveLocalServices(broker, invokeApi, beforeRequest);
      return (await endpoint).url;
    },
    isIdle,
    async whenIdle() {
      while (!isIdle()) {
        await Promise.all(polled.map(({ poller }) => poller.whenIdle()));
      }
    },
    async close() {
      scheduler.close();
      await Promise.all([...closing, ...polled.map(({ poller }) => poller.close())]);
      await (await endpoint)?.close();
    },
  };
}
