/** `npm run record-fixtures`: records the datagrams of real clients as they are on the wire, one a line. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { openLambdaService } from '../server/dist/lambda/invoke/lambda-service.js';
import { readTemplate } from '../server/dist/lambda/template/template.js';
import { EXAMPLE } from './example.ts';
import { startRegistrationPage } from './registration-page.ts';

const FIXTURES = new URL('../fixtures/xray-udp/', import.meta.url).pathname;
const VENV = join(EXAMPLE, 'python/.venv');
const USER = { user_id: 'brian1', first_name: 'Brian', last_name: 'McNamara', email: 'brian@mcnamara.com' };

/** Recognises the sender of a datagram by text that only this client writes; the first match counts. */
const SENDERS: readonly (readonly [file: string, isSender: (text: string) => boolean])[] = [
  ['lambda-runner', (text) => text.includes('"origin":"AWS::Lambda')],
  ['aws-xray-sdk-node', (text) => text.includes('registration-page')],
  ['powertools-python', (text) => text.includes('"in_progress": false') || text.includes('"in_progress":false')],
  ['powertools-typescript', () => true],
];

const collector = createSocket('udp4').bind(0, '127.0.0.1');
await once(collector, 'listening');
const received = new Map<string, string[]>();
collector.on('message', (bytes) => {
  const text = bytes.toString('utf8').split('\n').slice(1).join('\n');
  const file = SENDERS.find(([, isSender]) => isSender(text))?.[0] as string;
  received.set(file, [...(received.get(file) ?? []), text]);
});

const daemonAddress = `127.0.0.1:${collector.address().port}`;
const page = await startRegistrationPage({ daemonAddress, port: 0 });
const cacheDir = await mkdtemp(join(tmpdir(), 'openray-fixtures-'));
try {
  for (const template of ['template.yaml', 'python/template.yaml']) {
    const lambdaService = openLambdaService({
      template: readTemplate(join(EXAMPLE, template), {
        parameters: { RegistrationUrl: page.url },
        region: 'us-east-1',
        accountId: '000000000000',
      }),
      region: 'us-east-1',
      accountId: '000000000000',
      daemonAddress,
      runtimesDir: new URL('../server/runtimes', import.meta.url).pathname,
      cacheDir,
      hostVariables: { ...process.env, VIRTUAL_ENV: VENV, PATH: [join(VENV, 'bin'), process.env.PATH].join(delimiter) },
    });
    for (const event of [USER, { ...USER, email: 'https://dan.furman.com' }]) {
      const payload = Buffer.from(JSON.stringify(event));
      await lambdaService.invoke('InstrumentedFunction', { payload, invocationType: 'RequestResponse' });
    }
    await lambdaService.close();
  }
} finally {
  await page.stop();
  collector.close();
  await rm(cacheDir, { recursive: true });
}
for (const [file, texts] of received) {
  const lines = texts.map((text) => text.replaceAll(EXAMPLE, '/var/task').replaceAll(cacheDir, '/var/task'));
  await writeFile(join(FIXTURES, `${file}.jsonl`), `${lines.join('\n')}\n`);
  process.stdout.write(`${file}: ${lines.length} documents\n`);
}
