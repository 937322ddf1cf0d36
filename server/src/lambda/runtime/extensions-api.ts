import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { PlatformFailure } from './failures.ts';
import type { Telemetry } from './telemetry.ts';
import { readSubscription } from './telemetry-subscription.ts';

export type ExtensionEvent = 'INVOKE' | 'SHUTDOWN';

export type ExtensionsApiOptions = {
  readonly functionName: string;
  readonly handler: string;
  readonly accountId: string;
  /** File names of the extensions that run in processes of their own. */
  readonly externalNames: readonly string[];
  readonly telemetry: Telemetry;
  /** An extension reported that it failed. */
  readonly onFailure: (failure: PlatformFailure) => void;
  /** An extension has registered, or subscribed to telemetry. */
  readonly onStateChange: (change: ExtensionStateChange) => void;
};

export type ExtensionStateChange =
  | { readonly kind: 'registered'; readonly name: string; readonly events: readonly ExtensionEvent[] }
  | { readonly kind: 'subscribed'; readonly name: string; readonly types: readonly string[] };

type Extension = {
  readonly name: string;
  readonly isExternal: boolean;
  readonly events: readonly ExtensionEvent[];
  /** Response of the pending `event/next`, which waits for an event. */
  waiting: ServerResponse | undefined;
  /** It handles an event, or has not asked for its first one: Lambda waits for it. */
  isBusy: boolean;
  /** The event that came while the extension was busy. */
  pending: JsonObject | undefined;
};

const PREFIX = '/2020-01-01/extension/';
const TELEMETRY = '/2022-07-01/telemetry';
const LOGS = '/2020-08-15/logs';
const EXTENSIONS_MAX = 10;
const BODY_MAX_BYTES = 64 * 1024;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The Extensions and Telemetry APIs of one sandbox, served beside its Runtime API.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 */
export class ExtensionsApi {
  readonly #options: ExtensionsApiOptions;
  readonly #extensions = new Map<string, Extension>();
  #isInit = true;
  #waiters: (() => void)[] = [];

  constructor(options: ExtensionsApiOptions) {
    this.#options = options;
  }

  /** Whether the path belongs to one of these APIs. */
  handles(path: string): boolean {
    return path.startsWith(PREFIX) || path === TELEMETRY || path === LOGS;
  }

  async handle(request: IncomingMessage, response: ServerResponse, path: string) {
    const body = await readText(request);
    if (body === undefined) return;
    const call = `${request.method} ${path}`;
    if (call === `POST ${PREFIX}register`) return this.#register(request, response, body);
    const known = this.#identify(request, response);
    if (known === undefined) return;
    switch (call) {
      case `GET ${PREFIX}event/next`:
        return this.#next(known, response);
      case `POST ${PREFIX}init/error`:
      case `POST ${PREFIX}exit/error`:
        return this.#fail(
          request,
          response,
          path.endsWith('init/error') ? 'Extension.InitError' : 'Extension.ExitError',
        );
      case `PUT ${TELEMETRY}`:
        return this.#subscribe(known, response, body);
      case `PUT ${LOGS}`:
        return writeJson(response, 202, { errorType: 'Logs.NotSupported', errorMessage: 'Use the Telemetry API' });
      default:
        writeJson(response, 404, { errorType: 'ResourceNotFound', errorMessage: `no such call: ${call}` });
    }
  }

  /** Every external extension has registered. */
  get hasAllExternal(): boolean {
    const names = new Set([...this.#extensions.values()].map(({ name }) => name));
    return this.#options.externalNames.every((name) => names.has(name));
  }

  get isReady(): boolean {
    return [...this.#extensions.values()].every(({ isBusy }) => !isBusy);
  }

  get hasExternal(): boolean {
    return [...this.#extensions.values()].some(({ isExternal }) => isExternal);
  }

  get hasAny(): boolean {
    return this.#extensions.size > 0;
  }

  /** Resolves when `isTrue` returns true. Checks it after each call of an extension. */
  async waitUntil(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Ends the Init phase: registrations and subscriptions are rejected from now on. */
  endInit(): void {
    this.#isInit = false;
    this.#options.telemetry.seal();
  }

  offer(event: JsonObject & { readonly eventType: ExtensionEvent }): void {
    for (const extension of this.#extensions.values()) {
      if (!extension.events.includes(event.eventType)) continue;
      extension.isBusy = true;
      const { waiting } = extension;
      extension.waiting = undefined;
      if (waiting === undefined) extension.pending = event;
      else sendEvent(waiting, event);
    }
  }

  #register(request: IncomingMessage, response: ServerResponse, body: string) {
    const name = headerOf(request, 'lambda-extension-name');
    const events = readEvents(body);
    const isExternal = this.#options.externalNames.includes(name ?? '');
    if (name === undefined) return writeError(response, 'InvalidExtensionName', 'the extension name is missing');
    if (!this.#isInit) return writeError(response, 'RegistrationClosed', 'registration ended with the Init phase');
    if (this.#extensions.size >= EXTENSIONS_MAX)
      return writeError(response, 'TooManyExtensions', 'at most ten extensions may register');
    if (events === undefined) return writeError(response, 'InvalidRequestFormat', 'the body has no list of events');
    const known = events.filter((event): event is ExtensionEvent => event === 'INVOKE' || event === 'SHUTDOWN');
    if (known.length < events.length || (!isExternal && known.includes('SHUTDOWN'))) {
      return writeError(response, 'InvalidEventType', `not for this extension: ${events.join(', ')}`);
    }
    if ([...this.#extensions.values()].some((other) => other.name === name)) {
      return writeError(response, 'InvalidExtensionState', `${name} has registered already`);
    }
    const id = randomUUID();
    this.#extensions.set(id, { name, isExternal, events: known, waiting: undefined, isBusy: true, pending: undefined });
    const { functionName, handler, accountId, onStateChange } = this.#options;
    const features = headerOf(request, 'lambda-extension-accept-feature')?.split(',') ?? [];
    const withAccount = features.some((feature) => feature.trim() === 'accountId');
    response.setHeader('Lambda-Extension-Identifier', id);
    writeJson(response, 200, {
      functionName,
      functionVersion: '$LATEST',
      handler,
      ...(withAccount ? { accountId } : {}),
    });
    onStateChange({ kind: 'registered', name, events: known });
    this.#wake();
  }

  #identify(request: IncomingMessage, response: ServerResponse): Extension | undefined {
    const id = headerOf(request, 'lambda-extension-identifier');
    const extension = this.#extensions.get(id ?? '');
    if (id === undefined) writeError(response, 'MissingExtensionIdentifier', 'the header is missing');
    else if (!UUID.test(id)) writeError(response, 'InvalidExtensionIdentifier', 'the identifier is not a UUID');
    else if (extension === undefined)
      writeError(response, 'UnknownExtensionIdentifier', 'no extension has this identifier');
    return extension;
  }

  #next(extension: Extension, response: ServerResponse) {
    const { pending } = extension;
    if (pending !== undefined) {
      extension.pending = undefined;
      return sendEvent(response, pending);
    }
    extension.isBusy = false;
    extension.waiting = response;
    this.#wake();
  }

  #fail(request: IncomingMessage, response: ServerResponse, errorType: string) {
    const reportedType = headerOf(request, 'lambda-extension-function-error-type');
    if (reportedType === undefined) return writeError(response, 'MissingHeader', 'the error type is missing');
    writeJson(response, 202, { status: 'OK' });
    this.#options.onFailure({ kind: 'extension', errorType, message: reportedType });
  }

  #subscribe(extension: Extension, response: ServerResponse, body: string) {
    const { telemetry, onStateChange } = this.#options;
    if (!this.#isInit) {
      const errorMessage = 'Telemetry API subscription is closed already';
      return writeJson(response, 403, { errorType: 'Telemetry.SubscriptionClosed', errorMessage });
    }
    const subscription = readSubscription(body);
    if (subscription === undefined) {
      return writeJson(response, 400, { errorType: 'ValidationError', errorMessage: 'the subscription is invalid' });
    }
    telemetry.subscribe(subscription);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('"OK"');
    onStateChange({ kind: 'subscribed', name: extension.name, types: subscription.kinds });
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}

function sendEvent(response: ServerResponse, event: JsonObject): void {
  response.setHeader('Lambda-Extension-Event-Identifier', randomUUID());
  writeJson(response, 200, event);
}

function writeError(response: ServerResponse, type: string, errorMessage: string): void {
  writeJson(response, 403, { errorType: `Extension.${type}`, errorMessage });
}

function writeJson(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readEvents(body: string): readonly string[] | undefined {
  try {
    const value: JsonValue = JSON.parse(body);
    const events = isJsonObject(value) ? (value.events ?? []) : undefined;
    return Array.isArray(events) ? events.map(String) : undefined;
  } catch {
    return undefined;
  }
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  let text = '';
  try {
    for await (const chunk of request) if (text.length < BODY_MAX_BYTES) text += String(chunk);
    return text;
  } catch {
    return undefined;
  }
}
