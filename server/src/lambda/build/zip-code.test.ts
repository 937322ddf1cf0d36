import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync, crc32 as nodeCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLocalLambda, resultOf, writeFiles } from '../testing/local-lambda.ts';
import { unpackZip } from './zip-code.ts';

type ZipEntry = {
  readonly name: string;
  readonly text: string;
  readonly mode?: number;
  readonly claimedBytes?: number;
};

/** CRC-32, bit by bit; Node has it from 22.2 on. */
function crc32(bytes: Buffer): number {
  if (typeof nodeCrc32 === 'function') return nodeCrc32(bytes);
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** A zip file: the entries, their directory, and its end. */
function zipOf(entries: readonly ZipEntry[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, text, mode = 0o100644, claimedBytes } of entries) {
    const [bytes, nameBytes] = [Buffer.from(text), Buffer.from(name)];
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claimedBytes ?? bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(mode * 0x10000, 6);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, tail, nameBytes);
    local.push(head, packed);
    offset += head.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

async function unpacked(content: Buffer): Promise<{ readonly dir: string; readonly code: string }> {
  const dir = await writeFiles({});
  await writeFile(join(dir, 'code.zip'), content);
  return { dir, code: await unpackZip(join(dir, 'code.zip'), 'Fn', join(dir, 'cache')) };
}

test('files, folders, permissions and links are as they were packed', async () => {
  const { code } = await unpacked(
    zipOf([
      { name: 'lib/', text: '' },
      { name: 'lib/a.js', text: 'a'.repeat(100_000) },
      { name: 'bin/run', text: '#!', mode: 0o100755 },
      { name: 'bin/link', text: '../lib/a.js', mode: 0o120777 },
    ]),
  );
  expect(readFileSync(join(code, 'lib/a.js'), 'utf8')).toBe('a'.repeat(100_000));
  expect(statSync(join(code, 'bin/run')).mode & 0o111).not.toBe(0);
  expect(readlinkSync(join(code, 'bin/link'))).toBe('../lib/a.js');
});

describe('a zip file is refused with a sentence, and leaves nothing', () => {
  const MIB = 1024 * 1024;
  test.each<readonly [string, Buffer, RegExp]>([
    ['that is none', Buffer.from('text'), /code\.zip cannot be unpacked: /],
    ['that is cut off', zipOf([{ name: 'a', text: 'a' }]).subarray(0, 40), /cannot be unpacked: /],
    ['with a name outside', zipOf([{ name: '../out.js', text: 'x' }]), /cannot be unpacked: .*\.\.\/out\.js/],
    ['with an absolute name', zipOf([{ name: '/out.js', text: 'x' }]), /cannot be unpacked: .*\/out\.js/],
    [
      'with a link outside',
      zipOf([{ name: 'etc', text: '/etc', mode: 0o120777 }]),
      /its link to \/etc leads out of the code/,
    ],
    [
      'with a link outside by way of another one',
      zipOf([
        { name: 'd/l', text: '..', mode: 0o120777 },
        { name: 'd/l/m', text: '../..', mode: 0o120777 },
      ]),
      /leads out of the code/,
    ],
    [
      'above the size of Lambda',
      zipOf([{ name: 'a', text: 'x', claimedBytes: 251 * MIB }]),
      /more than the 262144000 bytes that Lambda allows/,
    ],
    ['with a false size', zipOf([{ name: 'a', text: 'x'.repeat(1000), claimedBytes: 10 }]), /cannot be unpacked: /],
  ])('%s', async (_what, content, message) => {
    const dir = await writeFiles({});
    await writeFile(join(dir, 'code.zip'), content);
    const cacheDir = join(dir, 'cache');
    await expect(unpackZip(join(dir, 'code.zip'), 'Fn', cacheDir)).rejects.toMatchObject({
      code: 'SettingInvalid',
      message: expect.stringMatching(message),
    });
    expect(await readdir(cacheDir)).toEqual([]);
    expect(existsSync(join(dir, 'out.js'))).toBe(false);
  });

  test('of any bytes', async () => {
    const valid = zipOf([{ name: 'a.js', text: 'text' }]);
    const damaged = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damaged, async (changes) => {
        const bytes = Buffer.from(valid);
        for (const [index, byte] of changes) bytes[index] = byte;
        await unpacked(bytes).catch((error: unknown) => expect(error).toMatchObject({ code: 'SettingInvalid' }));
      }),
      { numRuns: 100 },
    );
  });
});

test('a function runs from its zip file, and from the new one after a change', async () => {
  const template = `
Resources:
  Node: {Type: AWS::Serverless::Function, Properties: {CodeUri: node.zip, Handler: src/app.handler, Runtime: nodejs20.x, Timeout: 20}}
  Python: {Type: AWS::Lambda::Function, Properties: {Code: python.zip, Handler: app.handler, Runtime: python3.12, Timeout: 20}}
`;
  const local = await openLocalLambda({ 'template.yaml': template }, { hotReload: true });
  const pack = (version: number) =>
    writeFile(
      join(local.dir, 'node.zip'),
      zipOf([{ name: 'src/app.js', text: `exports.handler = async () => 'version ${'x'.repeat(version)}';` }]),
    );
  await pack(1);
  const python = "def handler(event, context):\n    return 'from Python'\n";
  await writeFile(join(local.dir, 'python.zip'), zipOf([{ name: 'app.py', text: python }]));
  try {
    expect(resultOf(await local.invoke('Node'))).toBe('version x');
    expect(resultOf(await local.invoke('Python'))).toBe('from Python');
    await pack(2);
    await expect.poll(async () => resultOf(await local.invoke('Node'))).toBe('version xx');
  } finally {
    await local.close();
  }
});
