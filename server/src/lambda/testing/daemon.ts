import { createSocket } from 'node:dgram';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** Receives segment documents over UDP as the X-Ray daemon does, and keeps them. */
export type TestDaemon = {
  readonly address: string;
  /** In order of arrival. */
  readonly documents: readonly JsonObject[];
  /** Resolves when `found` returns a value for the documents so far. Rejects with all of them after 60 s. */
  readonly until: <T>(found: (documents: readonly JsonObject[]) => T | undefined) => Promise<T>;
  readonly close: () => Promise<void>;
};

const UNTIL_MS = 60_000;
const shown = (document: JsonObject) => JSON.stringify(document).slice(0, 500);

export async function openTestDaemon(): Promise<TestDaemon> {
  const documents: JsonObject[] = [];
  const checks = new Set<() => void>();
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  socket.on('message', (message) => {
    const text = message.toString();
    const end = text.indexOf('\n');
    const header: JsonValue = JSON.parse(text.slice(0, end));
    const document: JsonValue = JSON.parse(text.slice(end + 1));
    if (!isJsonObject(header) || header.format !== 'json' || header.version !== 1)
      throw new Error(`not a daemon header: ${text}`);
    if (isJsonObject(document)) documents.push(document);
    for (const check of checks) check();
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    documents,
    until: (found) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          checks.delete(check);
          reject(new Error(`none of these documents is the right one:\n${documents.map(shown).join('\n')}`));
        }, UNTIL_MS);
        const check = () => {
          const value = found(documents);
          if (value === undefined) return;
          checks.delete(check);
          clearTimeout(timer);
          resolve(value);
        };
        checks.add(check);
        check();
      }),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** The two complete segments of one request, of the service and of the function; undefined while one is missing. */
export function lambdaSegments(documents: readonly JsonObject[], requestId: string): LambdaSegments | undefined {
  const done = documents.filter((document) => document.in_progress !== true);
  const service = done.find(({ aws }) => isJsonObject(aws) && aws.request_id === requestId);
  const sandbox = done.find(
    ({ origin, trace_id: id }) => origin === 'AWS::Lambda::Function' && id === service?.trace_id,
  );
  return service === undefined || sandbox === undefined ? undefined : { service, sandbox };
}

export type LambdaSegments = { readonly service: JsonObject; readonly sandbox: JsonObject };

/** The first embedded subsegment with this name. */
export function subsegment(segment: JsonObject, name: string): JsonObject | undefined {
  const list = (segment.subsegments ?? []) as readonly JsonObject[];
  return list.find((entry) => entry.name === name);
}
