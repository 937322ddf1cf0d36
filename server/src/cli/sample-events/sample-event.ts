/** One event of `openray generate-event`. */
export type SampleEvent = {
  readonly description: string;
  /** Default of each option, by its name in camelCase: `accountId` is `--account-id`. */
  readonly defaults: Readonly<Record<string, string>>;
  /** The event with these values, and with the defaults of the other options. */
  readonly build: (values: Readonly<Record<string, string>>) => object;
};

/** Events of one service by name. */
export type ServiceEvents = Readonly<Record<string, SampleEvent>>;

export function sampleEvent<Options extends Readonly<Record<string, string>>>(
  description: string,
  defaults: Options,
  build: (values: Readonly<Record<keyof Options, string>>) => object,
): SampleEvent {
  return { description, defaults, build: (values) => build({ ...defaults, ...values }) };
}

/** Options of nearly every event. */
export const PLACE = { region: 'us-east-1', partition: 'aws', accountId: '123456789012' };

type Place = Readonly<Record<keyof typeof PLACE, string>>;

export function arnOf(service: string, { region, partition, accountId }: Place, resource: string): string {
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}

/** Time and ids never change, so that a generated file differs only in its options. */
export const TIME = '2026-01-15T12:00:00.000Z';
export const TIME_MS = Date.parse(TIME);
export const REQUEST_ID = 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef';

/** As EventBridge and DynamoDB write it: without milliseconds. */
export const TIME_IN_SECONDS = TIME.replace('.000', '');

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
