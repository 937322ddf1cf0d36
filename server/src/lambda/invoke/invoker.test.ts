import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readTemplate } from '../template/template.ts';
import { openTestDaemon } from '../testing/daemon.ts';
import { ACCOUNT, REGION, RUNTIMES_DIR, writeFiles } from '../testing/local-lambda.ts';
import { openSegmentSender, parseDaemonAddress } from '../tracing/segment-sender.ts';
import { openFunctionRegistry } from './function-registry.ts';
import { openInvoker } from './invoker.ts';

const TEMPLATE = `
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: gradle}
    Properties: {CodeUri: app, Handler: a.handler, Runtime: nodejs20.x, Timeout: 20, EventInvokeConfig: {MaximumRetryAttempts: 1}}
`;

/** Each preparation of the function gives the warning that gradle builds it. */
async function open() {
  const dir = await writeFiles({
    'template.yaml': TEMPLATE,
    'app/a.js': `exports.handler = async ({ fails }) => { if (fails) throw new Error('no'); };`,
  });
  const daemon = await openTestDaemon();
  const place = { region: REGION, accountId: ACCOUNT };
  const warnings: string[] = [];
  const registry = openFunctionRegistry(
    {
      ...place,
      template: readTemplate(join(dir, 'template.yaml'), { ...place, parameters: {} }),
      daemonAddress: daemon.address,
      runtimesDir: RUNTIMES_DIR,
      cacheDir: join(dir, '.cache'),
      hostVariables: { PATH: process.env.PATH },
      hotReload: true,
    },
    { endpointUrl: async () => 'http://127.0.0.1:1', warn: (sentence) => warnings.push(sentence) },
  );
  const sender = openSegmentSender(parseDaemonAddress(daemon.address));
  const delays = { retryDelaysMs: [0], throttleDelayMs: 0 };
  const invoker = openInvoker({ ...place, ...delays, registry, sender, traceFormat: 1 });
  onTestFinished(async () => {
    invoker.close();
    await registry.close();
    sender.close();
    await daemon.close();
  });
  return {
    async preparations(invocationType: 'RequestResponse' | 'Event' | 'DryRun', event: object) {
      warnings.length = 0;
      await invoker.invoke('F', { invocationType, payload: Buffer.from(JSON.stringify(event)) }, () => {});
      await invoker.whenIdle();
      return warnings.filter((warning) => warning.includes('gradle')).length;
    },
  };
}

test('every run of a function is prepared once: an invocation, and each attempt at an event', async () => {
  const { preparations } = await open();
  expect(await preparations('RequestResponse', {})).toBe(1);
  expect(await preparations('RequestResponse', { fails: true })).toBe(1);
  expect(await preparations('Event', {})).toBe(1);
  expect(await preparations('Event', { fails: true })).toBe(2);
  expect(await preparations('DryRun', {})).toBe(1);
});
