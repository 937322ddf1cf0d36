import { NO_AWS } from '../runtime/aws-access.ts';
import { openAwsRelay } from '../services/aws-relay.ts';
import { newLocalEndpoint } from '../services/local-endpoint.ts';
import { type LocalServices, openLocalServices } from '../services/local-services.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import type { LambdaFunctions, LambdaService } from '../spec/lambda-client.ts';
import { openSegmentSender, parseDaemonAddress, type SegmentSender } from '../tracing/segment-sender.ts';
import { type FunctionRegistry, openFunctionRegistry } from './function-registry.ts';
import { type Invoker, openInvoker } from './invoker.ts';
import type { LambdaServiceOptions } from './options.ts';

/** The local Lambda service over the functions of one template. Starts no process before the first invocation. */
export function openLambdaService(options: LambdaServiceOptions): LambdaService {
  const { template, region, accountId, clock, hostVariables, aws = NO_AWS } = options;
  const warn = newWarner(options.onWarning);
  const sender = openSegmentSender(parseDaemonAddress(options.daemonAddress));
  const endpoint = newLocalEndpoint();
  const registry = openFunctionRegistry(options, { endpointUrl: endpoint.url, warn });
  const invoker = openInvoker({
    registry,
    sender,
    region,
    accountId,
    traceFormat: options.traceFormat ?? 1,
    retryDelaysMs: options.retryDelaysMs ?? [1000, 2000],
    throttleDelayMs: options.throttleDelayMs ?? 1000,
  });
  const describe = (spec: FunctionSpec) => ({ spec, arn: functionArn(spec.name, region, accountId) });
  const functions: Parts['functions'] = {
    list: () => registry.list().map(describe),
    find: (nameOrArn, qualifier) => describe(registry.find(nameOrArn, qualifier).pool.spec),
  };
  const services = openLocalServices({
    functions,
    specs: template.services,
    region,
    accountId,
    clock,
    endpoint,
    warn,
    refresh: registry.refresh,
    hasFunction: registry.has,
    relay:
      aws.endpoint !== undefined || (aws.mode === 'passthrough' && aws.hasCredentials)
        ? openAwsRelay({ endpoint: aws.endpoint, hostVariables })
        : undefined,
    invoke: invoker.invoke,
    runsSchedules: options.runsSchedules ?? false,
  });
  process.once('exit', registry.kill);
  return lambdaService({ functions, sender, registry, invoker, services });
}

type Parts = {
  readonly functions: Pick<LambdaFunctions, 'list' | 'find'>;
  readonly sender: SegmentSender;
  readonly registry: FunctionRegistry;
  readonly invoker: Invoker;
  readonly services: LocalServices;
};

/** Every call looks first whether the template has changed. */
function lambdaService({ functions, sender, registry, invoker, services }: Parts): LambdaService {
  return {
    list() {
      services.refresh();
      return functions.list();
    },
    callAwsService: services.call,
    routes() {
      services.refresh();
      return registry.template().routes;
    },
    templateFile: () => registry.template().file,
    schedules() {
      services.refresh();
      return registry.template().services.schedules;
    },
    has(nameOrArn) {
      services.refresh();
      return registry.has(nameOrArn);
    },
    find(nameOrArn, qualifier) {
      services.refresh();
      return functions.find(nameOrArn, qualifier);
    },
    fingerprint(nameOrArn) {
      services.refresh();
      return registry.fingerprint(nameOrArn);
    },
    async invoke(nameOrArn, request) {
      services.refresh();
      return invoker.invoke(nameOrArn, request, services.deliver);
    },
    async whenIdle() {
      // An event may lead to messages, and a message to events.
      do {
        await services.whenIdle();
        await invoker.whenIdle();
      } while (!services.isIdle());
    },
    async close() {
      invoker.close();
      process.off('exit', registry.kill);
      await registry.close();
      await services.close();
      sender.close();
    },
  };
}

/** Passes each sentence on once. */
function newWarner(onWarning: LambdaServiceOptions['onWarning']): (sentence: string) => void {
  const warned = new Set<string>();
  return (sentence) => {
    if (!warned.has(sentence)) onWarning?.(sentence);
    warned.add(sentence);
  };
}
