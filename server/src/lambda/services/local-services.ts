import { randomUUID } from 'node:crypto';
import { toFailure } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { Invoke, InvokeRequest, InvokeResult, LambdaFunctions, ProducerLink } from '../spec/lambda-client.ts';
import type { CallAwsService, Deliver, QueueSource, ScheduleSpec, ServiceSpecs } from '../spec/services.ts';
import { type AwsRelay, undeclaredFunction } from './aws-relay.ts';
import { handleAwsService } from './aws-services.ts';
import { openBroker } from './broker.ts';
import type { LocalEndpoint } from './local-endpoint.ts';
import type { Queue } from './queue.ts';
import { type BatchResult, pollQueue, type QueuePoller } from './queue-poller.ts';
import { scheduledPayload } from './scheduled-payload.ts';
import { openScheduler, type SchedulerClock, SYSTEM_CLOCK } from './scheduler.ts';
import { newServiceRoutes } from './service-routes.ts';

export type LocalServicesOptions = {
  readonly specs: ServiceSpecs;
  readonly accountId: string;
  readonly region: string;
  /** Gets its routes here, and is closed with the services. */
  readonly endpoint: LocalEndpoint;
  /** Reads the template again when it has changed, and then returns its new specs. */
  readonly refresh: () => ServiceSpecs | undefined;
  /** Functions call these operations of Lambda too. */
  readonly functions: Pick<LambdaFunctions, 'list' | 'find'>;
  readonly invoke: (...args: [...Parameters<Invoke>, deliver: Deliver]) => Promise<InvokeResult>;
  /** By logical id, name or ARN. */
  readonly hasFunction: (nameOrArn: string) => boolean;
  /** Gets the calls of functions about resources that the template does not declare. */
  readonly relay: AwsRelay | undefined;
  /** Starts the schedules of the template too. */
  readonly runsSchedules: boolean;
  readonly clock?: SchedulerClock | undefined;
  readonly warn: (sentence: string) => void;
};

/** The AWS services around the functions of a template: queues, topics, event rules and schedules. */
export type LocalServices = {
  /** Sends a record to a destination or a dead-letter queue. */
  readonly deliver: Deliver;
  readonly call: CallAwsService;
  /** Takes the services over from the template when it has changed. Queues that remain keep their messages. */
  readonly refresh: () => void;
  /** No function handles messages, none is about to be invoked, and no message is ready to be received. */
  readonly isIdle: () => boolean;
  readonly whenIdle: () => Promise<void>;
  readonly close: () => Promise<void>;
};

type ActivePoller = { readonly source: QueueSource; readonly queue: Queue; readonly poller: QueuePoller };

export function openLocalServices(options: LocalServicesOptions): LocalServices {
  const { accountId, region, endpoint, warn, runsSchedules, hasFunction, relay } = options;
  const pending = new Set<Promise<unknown>>();
  const closing = new Set<Promise<void>>();
  let isClosed = false;
  const schedulesOf = ({ schedules }: ServiceSpecs) => (runsSchedules ? schedules : []);
  const broker = openBroker({ specs: options.specs, accountId, region, invokeAsync, warn });
  const scheduler = openScheduler(schedulesOf(options.specs), runSchedule, options.clock ?? SYSTEM_CLOCK);
  const lambda = { ...options.functions, invoke: invokeDeclared };
  endpoint.serve(newServiceRoutes({ broker, lambda, hasFunction, refresh, relay }));
  let pollers = startPollers(options.specs, []);

  function refresh(): void {
    const next = isClosed ? undefined : options.refresh();
    if (next === undefined) return;
    broker.update(next);
    scheduler.update(schedulesOf(next));
    const before = pollers;
    pollers = startPollers(next, before);
    for (const old of before) {
      if (pollers.includes(old)) continue;
      const closed: Promise<void> = old.poller.close().finally(() => closing.delete(closed));
      closing.add(closed);
    }
  }

  /** A poller whose queue and settings are unchanged goes on, with the messages that it holds. */
  function startPollers(specs: ServiceSpecs, before: readonly ActivePoller[]): readonly ActivePoller[] {
    return specs.queueSources.flatMap((source) => {
      const { functionId, queueArn } = source;
      const queue = broker.queue(queueArn);
      if (queue === undefined) {
        warn(`${functionId}: its queue ${queueArn} is not in the template; it is not polled.`);
        return [];
      }
      const same = before.find((old) => old.queue === queue && JSON.stringify(old.source) === JSON.stringify(source));
      if (same !== undefined) return [same];
      const poller = pollQueue(queue, source, region, (...batch) => runBatch(functionId, ...batch));
      return [{ source, queue, poller }];
    });
  }

  function runSchedule(schedule: ScheduleSpec, atMs: number): void {
    for (const target of schedule.targets) {
      const call = { id: randomUUID(), atMs, region, accountId };
      broker.forward(target.arn, scheduledPayload(schedule, target, call), undefined);
    }
  }

  async function invoke(nameOrArn: string, request: InvokeRequest): Promise<InvokeResult> {
    refresh();
    return options.invoke(nameOrArn, request, broker.deliver);
  }

  async function invokeDeclared(nameOrArn: string, request: InvokeRequest): Promise<InvokeResult> {
    if (hasFunction(nameOrArn)) return invoke(nameOrArn, request);
    throw undeclaredFunction(nameOrArn);
  }

  /** For topics, rules, schedules and destinations: a failure is a warning, as the producer gets no answer. */
  function invokeAsync(functionArn: string, event: JsonValue, traceHeader: string | undefined): void {
    const payload = Buffer.from(JSON.stringify(event));
    const accepted: Promise<unknown> = invoke(functionArn, { payload, traceHeader, invocationType: 'Event' })
      .catch((error: unknown) => warn(`${functionArn} could not be invoked: ${toFailure(error).message}`))
      .finally(() => pending.delete(accepted));
    pending.add(accepted);
  }

  /** A batch of a queue has a trace of its own, linked to those of its producers. */
  async function runBatch(functionId: string, event: JsonObject, links: readonly ProducerLink[]): Promise<BatchResult> {
    const payload = Buffer.from(JSON.stringify(event));
    const result = await invoke(functionId, { payload, links, invocationType: 'RequestResponse' });
    return { payload: result.payload, isFunctionError: result.functionError !== undefined };
  }

  const isIdle = () => pending.size === 0 && pollers.every(({ poller }) => poller.isIdle());

  return {
    deliver: broker.deliver,
    call(request) {
      refresh();
      return handleAwsService(broker, request);
    },
    refresh,
    isIdle,
    async whenIdle() {
      while (!isIdle()) {
        await Promise.all(pending);
        await Promise.all(pollers.map(({ poller }) => poller.whenIdle()));
      }
    },
    async close() {
      isClosed = true;
      scheduler.close();
      await Promise.all([...closing, ...pollers.map(({ poller }) => poller.close())]);
      await endpoint.close();
    },
  };
}
