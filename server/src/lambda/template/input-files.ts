import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { decodeText } from '../../model/text-encoding.ts';
import { parseJsonAsPython } from './numbers.ts';

const DEFAULT_TEMPLATES = ['template.yaml', 'template.yml', 'template.json'];
const CDK_OUT_DIR = 'cdk.out';
const SERVERLESS_TEMPLATE = '.serverless/cloudformation-template-update-stack.json';

/**
 * The template of the working directory: a template of SAM, else one that the CDK or the Serverless Framework wrote.
 * Throws InvalidRequestException when there is none, or when the CDK wrote several.
 */
export function findTemplate(): string {
  const samTemplate = DEFAULT_TEMPLATES.find((file) => existsSync(file));
  if (samTemplate !== undefined) return samTemplate;
  const stacks = existsSync(CDK_OUT_DIR)
    ? readdirSync(CDK_OUT_DIR).filter((file) => file.endsWith('.template.json'))
    : [];
  const [stack] = stacks;
  if (stacks.length > 1) {
    throw new OpenrayError(
      'InvalidRequestException',
      `${CDK_OUT_DIR} has ${stacks.join(', ')}; name one with --template`,
    );
  }
  if (stack !== undefined) return join(CDK_OUT_DIR, stack);
  if (existsSync(SERVERLESS_TEMPLATE)) return SERVERLESS_TEMPLATE;
  throw new OpenrayError(
    'InvalidRequestException',
    `there is no ${DEFAULT_TEMPLATES.join(', ')} here; name a template with --template`,
  );
}

type EnvironmentVariables = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Reads SAM's `--env-vars` file: variables by function, or under `Parameters` for all functions. */
export function readEnvironmentFile(file: string | undefined): EnvironmentVariables | undefined {
  if (file === undefined) return undefined;
  try {
    const values: unknown = parseJsonAsPython(decodeText(readFileSync(file)));
    if (typeof values === 'object' && values !== null) return values as EnvironmentVariables;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OpenrayError('InvalidRequestException', `${file} holds no variables: ${reason}`, { cause });
  }
  throw new OpenrayError('InvalidRequestException', `${file} must hold an object of variables by function`);
}
