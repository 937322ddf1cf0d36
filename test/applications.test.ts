import { fileURLToPath } from 'node:url';
import { type Openray, type OpenrayOptions, startOpenray } from 'openray/testing';
import 'openray/testing/vitest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from './support/wait.ts';

/** Public applications, run unmodified. The Python application is the workshop's: see python-functions.test.ts. */
async function start(application: string, options: OpenrayOptions = {}): Promise<Openray> {
  const template = fileURLToPath(new URL(`applications/${application}/template.yaml`, import.meta.url));
  const openray = await startOpenray({ template, ...options });
  onTestFinished(openray.close);
  return openray;
}

describe('unmodified', () => {
  test('a SAM application in TypeScript, built by esbuild', async () => {
    const openray = await start('sam-typescript', { settings: { parameterOverrides: 'TableName=people' } });
    const { result, trace } = await openray.invoke('HelloWorldFunction', { queryStringParameters: { name: 'brian' } });
    expect(result).toEqual({ statusCode: 200, body: '{"message":"hello brian"}' });
    const recorded = await trace();
    expect(recorded).toHaveSubsegment('## greet');
    expect(recorded).toHaveAnnotation('table', 'people');
    expect(recorded).toCall('HelloWorldFunction', 'HelloWorldFunction');
    expect(recorded).toBeOk();

    const failed = await openray.invoke('HelloWorldFunction', { queryStringParameters: { name: '' } });
    expect(failed.functionError).toBe('Unhandled');
    const frames = (failed.result as { trace: readonly string[] }).trace;
    expect(frames[1]).toMatch(/sam-typescript\/src\/greet\.ts:2:\d+/);
    expect(await failed.trace()).toHaveFault('RangeError: no name to greet');
  });

  test('a CommonJS application with middy and Powertools', async () => {
    const openray = await start('middy-commonjs');
    const { result, trace, log } = await openray.invoke('Orders', { id: 'o-1' });
    expect(result).toEqual({ id: 'o-1' });
    expect(log).toContain('"message":"order"');
    const recorded = await trace();
    expect(recorded).toHaveSubsegment('## index.handler');
    expect(recorded).toHaveAnnotation('order', 'o-1');
    expect(recorded).toHaveAnnotation('ColdStart', true);
    expect(recorded).toHaveMetadata('index.handler response', { id: 'o-1' });
    const warm = await (await openray.invoke('Orders', { id: 'o-2' })).trace();
    expect(warm).toHaveAnnotation('ColdStart', false);
    expect(warm).not.toHaveSubsegment('Initialization');
  });

  test("a CommonJS application with OpenTelemetry's instrumentation for Lambda", async () => {
    const openray = await start('otel-commonjs');
    const { result, trace } = await openray.invoke('Billing', { amount: 7 });
    expect(result).toEqual({ charged: 7 });
    await eventually(async () => {
      const recorded = await trace();
      expect(recorded).toHaveSegment('Billing', { origin: 'AWS::Lambda::Function' });
      expect(recorded).toHaveSubsegment('charge');
      expect(recorded).toBeComplete();
    });
  });
});
