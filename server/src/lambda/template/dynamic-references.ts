import { isJsonObject, memberOf, textOf } from '../../model/json.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import type { RawTemplate } from './raw-template.ts';
import { parsedObject } from './values.ts';

const REFERENCE = /\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}/g;

/**
 * Replaces references to parameters and secrets by the values that this template declares. Others stay as they are, with
 * a warning.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
 */
export function withReferencedValues(text: string, raw: RawTemplate, scope: Scope): string {
  return text.replace(REFERENCE, (whole, service: string, target: string) => {
    const value = service === 'secretsmanager' ? secretValue(target, raw, scope) : parameterValue(target, raw, scope);
    if (value !== undefined) return value;
    const kind = service === 'secretsmanager' ? 'secret' : 'parameter';
    scope.warn(
      `${whole} is of no ${kind} that this template declares with a value; it stays as text. --env-vars FILE can set the variable.`,
    );
    return whole;
  });
}

/** `name` or `name:version`; a template declares only one version. */
function parameterValue(target: string, raw: RawTemplate, scope: Scope): string | undefined {
  const name = target.trim().replace(/:\d+$/, '');
  const [logicalId = ''] = idsOf('AWS::SSM::Parameter', raw).filter((id) => scope.resources[id]?.ref === name);
  return memberOf(scope.resources[logicalId]?.attributes ?? {}, 'Value');
}

/** `id:SecretString:jsonKey:stage:version`; the id is a name or an ARN. */
function secretValue(target: string, raw: RawTemplate, scope: Scope): string | undefined {
  const [, secretId = '', jsonKey = ''] =
    /^(arn(?::[^:]*){6}|[^:]*)(?::SecretString(?::([^:]*))?.*)?$/.exec(target.trim()) ?? [];
  const isNamed = (id: string) => {
    const arn = scope.resources[id]?.ref ?? '';
    return arn === secretId || arn.endsWith(`:secret:${secretId}`);
  };
  const [logicalId = ''] = idsOf('AWS::SecretsManager::Secret', raw).filter(isNamed);
  const secret = textOf(resolveValue(raw.resources[logicalId]?.properties.SecretString, scope));
  if (secret === undefined || jsonKey === '') return secret;
  const value = memberOf(parsedObject(secret) ?? {}, jsonKey);
  return isJsonObject(value) ? JSON.stringify(value) : textOf(value);
}

function idsOf(type: string, { resources }: RawTemplate): readonly string[] {
  return Object.keys(resources).filter((id) => resources[id]?.type === type);
}
