import { join } from 'node:path';
import { isJsonObject, type JsonValue, listOf, memberOf } from '../../model/json.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import type { RawTemplate, Resource } from './raw-template.ts';

const LAYER_TYPES = ['AWS::Serverless::LayerVersion', 'AWS::Lambda::LayerVersion'];

/** Layers that AWS and its partners publish, by the name in the ARN. `remedy` completes "the layer NAME …". */
const PUBLISHED_LAYERS: readonly { readonly name: RegExp; readonly remedy: string }[] = [
  {
    name: /^AWSLambdaPowertoolsTypeScript/,
    remedy: 'is Powertools: install the packages @aws-lambda-powertools/… that the function uses',
  },
  {
    name: /^AWSLambdaPowertoolsPython/,
    remedy: 'is Powertools: install it with pip install "aws-lambda-powertools[all]"',
  },
  {
    name: /^(aws-otel-|AWSOpenTelemetryDistro|opentelemetry-)/,
    remedy: 'is OpenTelemetry (ADOT): the function runs without its automatic tracing',
  },
  { name: /^LambdaInsightsExtension/, remedy: 'is Lambda Insights, whose metrics openray does not have' },
  {
    name: /^AWS-Parameters-and-Secrets-Lambda-Extension/,
    remedy: 'is the cache of parameters and secrets: calls of its port 2773 fail',
  },
  { name: /^AWS-AppConfig-Extension/, remedy: 'is the cache of AppConfig: calls of its port 2772 fail' },
];

export type Layers = {
  /** Absolute. */
  readonly dirs: readonly string[];
  /** Those of `dirs` whose content `sam build` copies below `python/` or `nodejs/`. */
  readonly sourceDirs: readonly string[];
  /** One sentence for each layer without a folder. */
  readonly warnings: readonly string[];
  /** Names of these layers; undefined when there are none. */
  readonly missing: readonly string[] | undefined;
};

/** Folders of the layers in this template, and of those for which the user has named a folder; others cannot be fetched. */
export function readLayers(functionId: string, layers: JsonValue | undefined, raw: RawTemplate, scope: Scope): Layers {
  const dirs: string[] = [];
  const sourceDirs: string[] = [];
  const warnings: string[] = [];
  const missing: string[] = [];
  for (const item of listOf(layers)) {
    const resolved = resolveValue(item, scope);
    if (resolved === undefined) continue;
    const arn = typeof resolved === 'string' ? resolved : JSON.stringify(resolved);
    const given = givenDir(item, arn, scope);
    const dir = given ?? ownDir(item, raw, scope);
    if (dir !== undefined) dirs.push(dir);
    else {
      warnings.push(warningOf(functionId, arn));
      missing.push(nameOf(arn));
    }
    if (dir !== undefined && given === undefined && isBuiltForRuntime(item, raw)) sourceDirs.push(dir);
  }
  return { dirs, sourceDirs, warnings, missing: missing.length > 0 ? missing : undefined };
}

/** The folder of `--layer`, which names the ARN with or without its version, the layer's name, or its logical id. */
function givenDir(item: JsonValue, arn: string, { layers }: Scope): string | undefined {
  const logicalId = isJsonObject(item) && typeof item.Ref === 'string' ? [item.Ref] : [];
  const names = [arn, arn.replace(/:\d+$/, ''), nameOf(arn), ...logicalId];
  return names.map((name) => memberOf(layers, name)).find((dir) => dir !== undefined);
}

/** `sam build` builds it by its runtime's package manager, so that its folder has the source of `python/` or `nodejs/`. */
function isBuiltForRuntime(item: JsonValue, raw: RawTemplate): boolean {
  const method = ownLayer(item, raw)?.metadata.BuildMethod;
  return typeof method === 'string' && /^(python|nodejs)/.test(method);
}

function ownLayer(item: JsonValue, raw: RawTemplate): Resource | undefined {
  const target = isJsonObject(item) && typeof item.Ref === 'string' ? memberOf(raw.resources, item.Ref) : undefined;
  return target !== undefined && LAYER_TYPES.includes(target.type) ? target : undefined;
}

function ownDir(item: JsonValue, raw: RawTemplate, scope: Scope): string | undefined {
  const target = ownLayer(item, raw);
  if (target === undefined) return undefined;
  const folder = resolveValue(target.properties.ContentUri ?? target.properties.Content, scope);
  return typeof folder === 'string' ? join(raw.dir, folder) : undefined;
}

function warningOf(functionId: string, arn: string): string {
  const name = nameOf(arn);
  const published = PUBLISHED_LAYERS.find((layer) => layer.name.test(name));
  const remedy = published?.remedy ?? 'is not in this template, and the function runs without it';
  return `${functionId}: the layer ${published === undefined ? arn : name} ${remedy}. --layer ${name}=FOLDER names its folder.`;
}

/** `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION` to its name. */
function nameOf(arn: string): string {
  return /:layer:([^:]+)/.exec(arn)?.[1] ?? arn;
}
