import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AwsAccess } from '../runtime/aws-access.ts';

/** Errors of AWS's services and SDKs (JavaScript v2 and v3, boto3, Java, Go) about credentials. */
const CREDENTIALS_FAILED = new RegExp(
  [
    ...['CredentialsProviderError', 'Could not load credentials', 'CredentialsError', 'Missing credentials in config'],
    ...['NoCredentialsError', 'Unable to locate credentials', 'PartialCredentialsError', 'NoAuthTokenError'],
    ...['Unable to load (?:AWS )?credentials', 'NoCredentialProviders', 'ProfileNotFound', 'failed to refresh cached'],
    ...['UnrecognizedClientException', 'InvalidClientTokenId', 'InvalidAccessKeyId', 'InvalidSignatureException'],
    ...['SignatureDoesNotMatch', 'IncompleteSignature', 'MissingAuthenticationToken', 'ExpiredToken', 'AuthFailure'],
    ...['security token included in the request is (?:invalid|expired)', 'TokenProviderError', 'TokenRetrievalError'],
    ...['SSOTokenLoadError', 'UnauthorizedSSOTokenError', 'Error loading SSO Token', 'Token has expired'],
  ].join('|'),
);
const AWS_HOST = String.raw`[\w.-]*(?:\.amazonaws\.com(?:\.cn)?|\.api\.aws)`;
const HOST_FAILED = new RegExp(
  [
    String.raw`getaddrinfo \w+ (?:${AWS_HOST}|localstack|dynamodb-local|host\.docker\.internal)`,
    String.raw`connect E\w+ 169\.254\.`,
    'EndpointConnectionError|Could not connect to the endpoint URL',
    'ConnectTimeoutError|Connect timeout on endpoint URL|ReadTimeoutError|EndpointResolutionError',
    `UnknownEndpoint|lookup ${AWS_HOST}`,
  ].join('|'),
);

/** Largest number of source files, and of characters of one, that are searched for an SDK. */
const FILES_MAX = 50;
const FILE_MAX_CHARS = 256 * 1024;

/** Whether a file in the folder itself names an SDK of AWS. */
export function usesAwsSdk(codeDir: string): boolean {
  try {
    return readdirSync(codeDir)
      .filter((name) => /\.(py|[cm]?[jt]sx?)$/.test(name))
      .slice(0, FILES_MAX)
      .some((name) => /boto3|aws-sdk/.test(readFileSync(join(codeDir, name), 'utf8').slice(0, FILE_MAX_CHARS)));
  } catch {
    return false;
  }
}

/**
 * One sentence when a call of the function to AWS failed because credentials, host or endpoint are missing. `output` is the log
 * and the payload of one invocation. A function that timed out may wait for AWS: SDKs repeat their attempts for longer
 * than Lambda's default timeout of 3 s.
 */
export function awsHint(
  functionId: string,
  aws: AwsAccess,
  output: string,
  usesSdk: () => boolean = () => false,
): string | undefined {
  if (CREDENTIALS_FAILED.test(output)) return credentialsHint(functionId, aws);
  if (HOST_FAILED.test(output) || isRefusedBy(aws.endpoint, output)) return hostHint(functionId, aws);
  if (output.includes('Task timed out after') && usesSdk()) return timeoutHint(functionId, aws);
  return undefined;
}

function isRefusedBy(endpoint: string | undefined, output: string): boolean {
  if (endpoint === undefined || !output.includes('ECONNREFUSED')) return false;
  const { port, protocol } = new URL(endpoint);
  return new RegExp(`ECONNREFUSED \\S+:${port || (protocol === 'https:' ? 443 : 80)}\\b`).test(output);
}

function credentialsHint(functionId: string, aws: AwsAccess): string {
  const { mode, endpoint } = aws;
  const place = endpoint === undefined ? 'AWS' : `AWS at ${endpoint} (${endpointSource(aws)})`;
  const failure = `a call of ${functionId} to ${place} failed for its credentials`;
  const otherWay =
    endpoint === undefined
      ? 'For calls without AWS, --aws-endpoint URL sends them to an emulator.'
      : '--env-vars FILE can set others.';
  return mode === 'none'
    ? `${failure}, since functions run without yours. --aws passthrough passes them on to all calls. ${otherWay}`
    : `${failure}, ${credentialsRemedy(aws)}. ${otherWay}`;
}

function credentialsRemedy({ hasCredentials }: AwsAccess): string {
  return hasCredentials
    ? 'which are yours (--aws passthrough): sign in again, or name another profile with --profile NAME'
    : 'since --aws passthrough found none of yours: sign in, or name a profile with --profile NAME';
}

/** The flag or the variable that gave the endpoint: a flag drops the variable. */
function endpointSource({ variables }: AwsAccess): string {
  return variables.AWS_ENDPOINT_URL === undefined ? '--aws-endpoint' : 'AWS_ENDPOINT_URL';
}

function hostHint(functionId: string, aws: AwsAccess): string {
  const { endpoint, mode } = aws;
  const proxy = mode === 'passthrough' ? 'set HTTPS_PROXY in this shell' : '--aws passthrough hands HTTPS_PROXY on';
  return endpoint === undefined
    ? `a call of ${functionId} did not reach AWS. --aws-endpoint URL sends the calls of functions to an emulator; behind a proxy, ${proxy}.`
    : `a call of ${functionId} did not reach AWS at ${endpoint} (${endpointSource(aws)}): check that the emulator runs there.`;
}

function timeoutHint(functionId: string, aws: AwsAccess): string {
  const { endpoint, mode, hasCredentials } = aws;
  // Without credentials an SDK asks the metadata services of EC2 and ECS, which do not answer here.
  if (endpoint === undefined && mode === 'passthrough' && !hasCredentials) {
    return `${functionId} timed out. If it waits for AWS, it lacks credentials, ${credentialsRemedy(aws)}. For calls without AWS, --aws-endpoint URL sends them to an emulator.`;
  }
  return endpoint === undefined
    ? `${functionId} timed out. If it waits for AWS, check the network, or send its calls to an emulator with --aws-endpoint URL.`
    : `${functionId} timed out. If it waits for AWS, check that the emulator at ${endpoint} (${endpointSource(aws)}) runs.`;
}
