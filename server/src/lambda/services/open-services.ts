import type { JsonObject } from '../../model/json.ts';
import type { LambdaApiAnswer, LambdaApiRequest } from '../invoke-api.ts';
import type { ProducerLink } from '../trace-documents.ts';
import { type Broker, openBroker } from './broker.ts';
import { type LocalEndpoint, serveLocalServices } from './local-endpoint.ts';
import { type BatchResult, pollQueue } from './queue-source.ts';
import type { ServiceSpecs } from './service-specs.ts';

export type ServicesOptions = {
  readonly specs: ServiceSpecs;
  readonly accountId: string;
  readonly region: string;
  readonly invokeLater: (functionArn: string, event: JsonObject, traceHeader: string | undefined) => void;
  readonly runBatch: (functionId: string, event: JsonObject, links: readonly ProducerLink[]) => Promise<BatchResult>;
  readonly invokeApi: (request: LambdaApiRequest) => Promise<LambdaApiAnswer>;
  readonly note: (sentence: string) => void;
};

/** What functions find of AWS around them. */
export type Services = Pick<Broker, 'deliver'> & {
  /** Where Lambda, SQS, SNS and EventBridge answer; opened by the first who asks. */
  readonly endpointUrl: () => Promise<string>;
  /** Queues by the URL that they would have on AWS. */
  readonly queuePaths: ReadonlyMap<string, string>;
  /** Resolves when no function is busy with messages, and none waits that could be taken now. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export function openServices(options: ServicesOptions): Services {
  const { specs, accountId, region, invokeLater: invoke, runBatch, invokeApi, note } = options;
  const broker = openBroker({ specs, accountId, region, invoke, note });
  const pollers = specs.sources.flatMap((source) => {
    const queue = broker.queue(source.queueArn);
    if (queue !== undefined)
      return [pollQueue(queue, source, region, (...batch) => runBatch(source.functionId, ...batch))];
    note(`${source.functionId}: its queue ${source.queueArn} is not in the template; nothing comes from there.`);
    return [];
  });
  let endpoint: Promise<LocalEndpoint> | undefined;
  return {
    deliver: broker.deliver,
    queuePaths: new Map(specs.queues.map(({ url, name }) => [url, `/${accountId}/${name}`])),
    async endpointUrl() {
      endpoint ??= serveLocalServices(broker, invokeApi);
      return (await endpoint).url;
    },
    async settled() {
      while (pollers.some(({ isIdle }) => !isIdle())) await Promise.all(pollers.map((poller) => poller.settled()));
    },
    async close() {
      await Promise.all(pollers.map((poller) => poller.close()));
      await (await endpoint)?.close();
    },
  };
}
