import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BatchGetTracesCommand,
  GetSamplingRulesCommand,
  GetSamplingTargetsCommand,
  PutTraceSegmentsCommand,
} from '@aws-sdk/client-xray';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { segment } from '../support/documents.ts';
import { newXRayClient, removeFolder, serverForThisTest, type TestServer, temporaryFolder } from '../support/server.ts';
import { CREDENTIALS } from '../support/sigv4.ts';
import { waitFor } from '../support/wait.ts';
import { type PeerProcess, startPeer, xrayDaemonProgram } from './programs.ts';

const program = xrayDaemonProgram();
if ('missing' in program) process.stderr.write(`The X-Ray daemon is not tested: ${program.missing}\n`);
const path = 'path' in program ? program.path : '';

/** Starts the daemon with openray in place of X-Ray; its port takes datagrams over UDP and calls over TCP. */
async function startDaemon({ url }: TestServer): Promise<PeerProcess & { readonly port: number }> {
  const folder = await temporaryFolder();
  onTestFinished(() => removeFolder(folder));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const file = join(folder, 'cfg.yaml');
  const config = {
    Endpoint: url,
    Region: 'eu-west-1',
    LocalMode: true,
    Socket: { UDPAddress: address, TCPAddress: address },
    Logging: { LogLevel: 'debug' },
    Version: 2,
  };
  await writeFile(file, JSON.stringify(config));
  const env = {
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    HOME: folder,
  };
  return { ...(await startPeer(path, ['--config', file], { isReady: /HTTP Proxy server/, env })), port };
}

const HEADER = '{"format": "json", "version": 1}\n';

function sendDatagrams(port: number, documents: readonly object[]): void {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  for (const document of documents) socket.send(HEADER + JSON.stringify(document), port, '127.0.0.1');
}

describe.skipIf('missing' in program)('the X-Ray daemon in front of openray', () => {
  test('documents that it receives over UDP are stored as sent', async () => {
    const server = await serverForThisTest();
    const daemon = await startDaemon(server);
    const documents = Array.from({ length: 30 }, (_, index) =>
      segment({ name: 'shop', annotations: { index }, metadata: { app: { list: [1, null, 'ü'] } } }),
    );
    sendDatagrams(daemon.port, documents);
    for (const document of documents) {
      const stored = await waitFor(`the trace ${document.trace_id}`, async () => {
        const asked = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [document.trace_id] }));
        return asked.Traces?.[0]?.Segments?.map(({ Document }) => JSON.parse(Document ?? ''));
      });
      expect(stored).toEqual([document]);
    }
  });

  test('its telemetry is accepted when it ends', async () => {
    const server = await serverForThisTest();
    const daemon = await startDaemon(server);
    sendDatagrams(daemon.port, [segment()]);
    await waitFor('the document', () => (/Successfully sent batch of 1/.test(daemon.output()) ? true : undefined));
    await daemon.stop();
    expect(daemon.output()).toMatch(/Send \d+ telemetry record/);
    expect(daemon.output()).toMatch(/Shutdown finished/);
  });

  test('sampling rules, targets and calls with documents pass through it', async () => {
    const server = await serverForThisTest();
    const { port } = await startDaemon(server);
    const xray = newXRayClient(`http://127.0.0.1:${port}`);
    onTestFinished(() => xray.destroy());
    const { SamplingRuleRecords = [] } = await xray.send(new GetSamplingRulesCommand({}));
    expect(SamplingRuleRecords.map(({ SamplingRule }) => SamplingRule?.RuleName)).toEqual(['Default']);
    const statistics = {
      RuleName: 'Default',
      ClientID: 'a'.repeat(24),
      Timestamp: new Date(),
      RequestCount: 10,
      SampledCount: 1,
      BorrowCount: 0,
    };
    const targets = await xray.send(new GetSamplingTargetsCommand({ SamplingStatisticsDocuments: [statistics] }));
    expect(targets.SamplingTargetDocuments).toEqual([expect.objectContaining({ RuleName: 'Default' })]);
    const document = segment();
    await xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(document)] }));
    const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [document.trace_id] }));
    expect(Traces).toHaveLength(1);
  });
});
