import type { JsonObject } from '../../model/json.ts';

/** One function of a template, every default filled in and every intrinsic resolved. */
export type FunctionSpec = {
  readonly logicalId: string;
  /** The name in its ARN, log group and segments. */
  readonly name: string;
  /** Its name in the CDK or Serverless Framework application; several functions may share one. */
  readonly frameworkName: string | undefined;
  /** Names of its aliases; all of them run the code of the folder. */
  readonly aliases: readonly string[];
  /** The template publishes versions of it, which have numbers. */
  readonly hasVersions: boolean;
  /** As in the template, such as `nodejs22.x`; empty when the template has none. */
  readonly runtime: string;
  readonly handler: string;
  /** Absolute folder; `/var/task` on AWS. */
  readonly codeDir: string;
  /** Source text in the template itself, instead of a folder. */
  readonly inlineCode: string | undefined;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** `Environment.Variables` of the template. */
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly tracing: TracingMode;
  /** Absolute folders of the layers, in order; `/opt` on AWS. A file of a later layer wins. */
  readonly layerDirs: readonly string[];
  /** Those of `layerDirs` whose content `sam build` copies below `python/` or `nodejs/`. */
  readonly layerSourceDirs: readonly string[];
  readonly architecture: 'x86_64' | 'arm64';
  readonly logging: LoggingSpec;
  /** From `Metadata` of the resource. */
  readonly build: BuildSpec;
  /** Most concurrent runs; undefined means the limit of the service. */
  readonly reservedConcurrency: number | undefined;
  /** Retries after a failed asynchronous invocation, 0 to 2. */
  readonly maxRetryAttempts: number;
  /** An older asynchronous event is dropped. */
  readonly maxEventAgeMs: number;
  /** ARN of the queue or topic that receives failed events. */
  readonly deadLetterArn: string | undefined;
  /** ARNs that receive a record about a finished asynchronous event. */
  readonly destinations: { readonly onSuccess: string | undefined; readonly onFailure: string | undefined };
  /** Sentences about parts that this function runs without, shown when it first runs. */
  readonly warnings: readonly string[];
  /** Names of the layers without a folder here; undefined when each has one. */
  readonly missingLayers?: readonly string[] | undefined;
  /** A sentence that says why this function cannot run here; undefined when it can. */
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
