/**
 * The parts of a name of an AWS service in which clients differ: `Secrets Manager`, `AWSSecretsManagerClient` and
 * `secretsmanager` are one service, and so is `AWS::SecretsManager`. Also a regular expression of ClickHouse.
 */
export const AWS_NAME_NOISE = '^(aws::|aws[.]sdk[.])(amazon|aws)?|^(amazon|aws)|(service)?client$|service$|[^a-z0-9]+';

const NOISE = new RegExp(AWS_NAME_NOISE, 'g');

/** A text that is equal for spellings of the same name. Names that differ otherwise need a table: `aws-services.ts`. */
export function awsNameKey(name: string): string {
  return name.toLowerCase().replace(NOISE, '');
}
