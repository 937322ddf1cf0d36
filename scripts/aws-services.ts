/**
 * `npm run aws-services -- BOTOCORE_DATA SDK_V2_METADATA`: writes `server/src/model/aws-services.ts` from the service
 * models of two packages: the folder `botocore/data` of PyPI's `botocore`, and `apis/metadata.json` of npm's `aws-sdk`
 * (version 2), which has the class names of that SDK.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { awsNameKey } from '../server/src/model/aws-name-key.ts';

type Model = {
  readonly folder: string;
  readonly endpointPrefix: string;
  readonly serviceId: string;
  readonly serviceAbbreviation?: string;
  readonly serviceFullName: string;
};

/** Where two services share an endpoint, the X-Ray SDK for Python gives both the same name: they are one service. */
type Service = { readonly name: string; readonly models: readonly Model[] };

/** Names that openray shows and that differ from the id of the service. They are X-Ray's. */
const SHOWN_NAMES: ReadonlyMap<string, string> = new Map([
  ['SFN', 'StepFunctions'],
  ['Elasticsearch Service', 'OpenSearch'],
]);

/** Names in the SDK for .NET and version 1 of the SDK for Java that no service model contains. */
const OTHER_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['DynamoDB', ['DynamoDBv2']],
  ['STS', ['SecurityToken']],
  ['IAM', ['IdentityManagement']],
  ['SSM', ['SimpleSystemsManagement']],
  ['SES', ['SimpleEmail']],
]);

function readModels(folder: string): readonly Model[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const version = readdirSync(join(folder, name)).sort().at(-1) as string;
      const file = readdirSync(join(folder, name, version)).find((file) => file.startsWith('service-2.json'));
      if (file === undefined) return [];
      const bytes = readFileSync(join(folder, name, version, file));
      const { metadata } = JSON.parse(String(file.endsWith('.gz') ? gunzipSync(bytes) : bytes));
      return [{ ...metadata, folder: name }];
    });
}

/** EventBridge and CloudWatch Events are one service with two models, as are versions of one service. */
function servicesOf(models: readonly Model[]): readonly Service[] {
  const groups = new Map<string, Model[]>();
  for (const model of models) groups.set(model.endpointPrefix, [...(groups.get(model.endpointPrefix) ?? []), model]);
  return Array.from(groups, ([prefix, group]) => {
    const [first] = [...group].sort(
      (a, b) => Number(b.folder === prefix) - Number(a.folder === prefix) || a.serviceId.length - b.serviceId.length,
    );
    const { serviceId } = first as Model;
    return { name: SHOWN_NAMES.get(serviceId) ?? serviceId.replace(/[^A-Za-z0-9]/g, ''), models: group };
  }).sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
}

/** The keys of all names. A name that several services have belongs to the one whose id it is, else to none. */
function keysByService(services: readonly Service[], classNames: ReadonlyMap<string, string>): readonly string[][] {
  const own = services.map(({ name, models }) => new Set([name, ...models.map((m) => m.serviceId)].map(awsNameKey)));
  const all = services.map(({ name, models }, index) => {
    const names = models.flatMap((model) => [
      model.folder,
      model.endpointPrefix,
      model.serviceFullName,
      model.serviceAbbreviation ?? '',
    ]);
    const keys = new Set([
      ...(own[index] as Set<string>),
      ...[...names, ...(OTHER_NAMES.get(name) ?? [])].map(awsNameKey),
    ]);
    for (const [identifier, className] of classNames)
      if (keys.has(awsNameKey(identifier)) || keys.has(awsNameKey(className)))
        keys.add(awsNameKey(identifier)).add(awsNameKey(className));
    return keys;
  });
  return all.map((keys, index) =>
    [...keys]
      .filter((key) => key !== '')
      .filter((key) => own[index]?.has(key) || all.filter((others) => others.has(key)).length === 1)
      .filter((key) => own[index]?.has(key) || !own.some((others) => others.has(key))),
  );
}

/** Identifiers of services of the SDK's version 2 with their class names; `prefix` is the service's folder there. */
function readClassNames(file: string): ReadonlyMap<string, string> {
  const metadata: Record<string, { readonly name: string; readonly prefix?: string }> = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return new Map(
    Object.entries(metadata).flatMap(([identifier, { name, prefix }]) => [
      [identifier, name] as const,
      ...(prefix === undefined ? [] : [[prefix, name] as const]),
    ]),
  );
}

const [botocoreData, classNameFile] = process.argv.slice(2);
if (botocoreData === undefined || classNameFile === undefined)
  throw new Error('usage: npm run aws-services -- BOTOCORE_DATA SDK_V2_METADATA');
const services = servicesOf(readModels(botocoreData));
const keys = keysByService(services, readClassNames(classNameFile));
const lines = services.map(({ name }, index) =>
  [name, ...(keys[index] as string[]).filter((key) => key !== awsNameKey(name)).sort()].join(' '),
);
writeFileSync(
  new URL('../server/src/model/aws-services.ts', import.meta.url),
  `/**
 * All AWS services of botocore's and the AWS SDK for JavaScript's service models, written by \`npm run aws-services\`.
 * A line has the name that openray shows, then the keys (see \`awsNameKey\`) of the other names of the service.
 */
export const AWS_SERVICE_LINES = \`
${lines.join('\n')}
\`;
`,
);
