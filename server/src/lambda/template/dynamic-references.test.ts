import { expect, test } from 'vitest';
import { allWarnings, parseTemplate } from './template.ts';

const OPTIONS = { parameters: {}, region: 'eu-west-1', accountId: '000000000000' };

function read(value: string) {
  const template = parseTemplate(
    `
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  Host: {Type: AWS::SSM::Parameter, Properties: {Name: !Sub '/\${Stage}/host', Type: String, Value: !Sub 'db.\${Stage}'}}
  Count: {Type: AWS::SSM::Parameter, Properties: {Name: count, Type: String, Value: 1.0}}
  Empty: {Type: AWS::SSM::Parameter, Properties: {Name: /empty, Type: String}}
  Login: {Type: AWS::SecretsManager::Secret, Properties: {Name: login, SecretString: '{"user":"ada","port":5432}'}}
  Plain: {Type: AWS::SecretsManager::Secret, Properties: {Name: dev/plain, SecretString: !Sub 'key-\${Stage}'}}
  Made: {Type: AWS::SecretsManager::Secret, Properties: {Name: made, GenerateSecretString: {PasswordLength: 8}}}
  A: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: a.b, Environment: {Variables: {V: ${value}}}}}
  B: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: a.b, Environment: {Variables: {V: ${value}}}}}`,
    '/project/template.yaml',
    OPTIONS,
  );
  const { functions } = template;
  expect(functions[1]?.environmentVariables).toEqual(functions[0]?.environmentVariables);
  return { value: functions[0]?.environmentVariables.V, warnings: allWarnings(template) };
}

test.each([
  ["'{{resolve:ssm:/dev/host}}'", 'db.dev'],
  ["'{{resolve:ssm:/dev/host:3}}'", 'db.dev'],
  ["'{{resolve:ssm-secure:/dev/host:1}}'", 'db.dev'],
  [`!Sub '{{resolve:ssm:/\${Stage}/host}}'`, 'db.dev'],
  ["'http://{{resolve:ssm:/dev/host}}/{{resolve:ssm:count}}'", 'http://db.dev/1.0'],
  ["'{{resolve:secretsmanager:login:SecretString:user}}'", 'ada'],
  ["'{{resolve:secretsmanager:login:SecretString:port::}}'", '5432'],
  ["'{{resolve:secretsmanager:login}}'", '{"user":"ada","port":5432}'],
  ["'{{resolve:secretsmanager:dev/plain:SecretString}}'", 'key-dev'],
  [`!Sub '{{resolve:secretsmanager:\${Login}:SecretString:user}}'`, 'ada'],
  ["'{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:000000000000:secret:dev/plain}}'", 'key-dev'],
])('%s is %s', (yaml, expected) => {
  expect(read(yaml)).toEqual({ value: expected, warnings: [] });
});

test.each([
  ['{{resolve:ssm:/other}}', 'parameter'],
  ['{{resolve:ssm:/empty}}', 'parameter'],
  ['{{resolve:ssm:constructor}}', 'parameter'],
  ['{{resolve:secretsmanager:other:SecretString:user}}', 'secret'],
  ['{{resolve:secretsmanager:login:SecretString:password}}', 'secret'],
  ['{{resolve:secretsmanager:made}}', 'secret'],
])('%s stays as text, with one warning', (text, kind) => {
  expect(read(`'${text}'`)).toEqual({
    value: text,
    warnings: [
      `${text} is of no ${kind} that this template declares with a value; it stays as text. --env-vars FILE can set the variable.`,
    ],
  });
});
