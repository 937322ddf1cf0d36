import type { JsonObject } from '../../model/json.ts';

/** One function of a template, every default filled in and every intrinsic resolved. */
export type FunctionSpec = {
  readonly logicalId: string;
  /** The name in its ARN, log group and segments. */
  readonly name: string;
  /** What it is called in the CDK or Serverless Framework application; several may have the same. */
  readonly frameworkName: string | undefined;
  /** As the template says, such as `nodejs22.x`; empty when it says nothing. */
  readonly runtime: string;
  readonly handler: string;
  /** Absolute folder that stands for `/var/task`. */
  readonly codeDir: string;
  /** Source text given in the template itself, instead of a folder. */
  readonly inlineCode: string | undefined;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** The customer's variables as the template has them. */
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly tracing: TracingMode;
  /** Absolute folders that stand for `/opt`, in order; a later one wins. */
  readonly layerDirs: readonly string[];
  readonly architecture: 'x86_64' | 'arm64';
  readonly logging: LoggingSpec;
  /** `Metadata` of the resource: how it is built. */
  readonly build: BuildSpec;
  /** At most this many at once; undefined means the service's limit. */
  readonly reservedConcurrency: number | undefined;
  /** Retries after a failed asynchronous invocation, 0 to 2. */
  readonly maxRetryAttempts: number;
  /** How old an asynchronous event may get before it is given up. */
  readonly maxEventAgeMs: number;
  /** ARN of the queue or topic that gets events which failed. */
  readonly deadLetterArn: string | undefined;
  /** ARNs that get a record of what became of an asynchronous event. */
  readonly destinations: { readonly onSuccess: string | undefined; readonly onFailure: string | undefined };
  /** Why this function can't run here, as a sentence; undefined when it can. */
  readonly unsupportedReason: string | undefined;
};

export type TracingMode = 'Active' | 'PassThrough';

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

export type LoggingSpec = {
  readonly format: 'Text' | 'JSON';
  readonly applicationLevel: LogLevel;
  readonly systemLevel: LogLevel;
  readonly logGroup: string;
};

export type BuildSpec =
  | { readonly kind: 'none' }
  | { readonly kind: 'esbuild'; readonly properties: JsonObject }
  | { readonly kind: 'other'; readonly method: string };

/** `arn:aws:lambda:…:function:NAME`, without a qualifier. */
export function functionArn(name: string, region: string, accountId: string): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
}
