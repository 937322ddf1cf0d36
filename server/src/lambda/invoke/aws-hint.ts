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

/**
 * One sentence when a call of the function to AWS failed for want of credentials, host or endpoint. `output` is the log
 * and the payload of one invocation.
 */
export function awsHint(functionId: string, aws: AwsAccess, output: string): string | undefined {
  if (CREDENTIALS_FAILED.test(output)) return credentialsHint(functionId, aws);
  if (HOST_FAILED.test(output) || isRefusedBy(aws.endpoint, output)) return hostHint(functionId, aws);
  return undefined;
}

function isRefusedBy(endpoint: string | undefined, output: string): boolean {
  if (endpoint === undefined || !output.includes('ECONNREFUSED')) return false;
  const { port, protocol } = new URL(endpoint);
  return new RegExp(`ECONNREFUSED \\S+:${port || (protocol === 'https:' ? 443 : 80)}\\b`).test(output);
}

function credentialsHint(functionId: string, { mode, endpoint, hasCredentials }: AwsAccess): string {
  const emulator = '--aws-endpoint URL sends them to an emulator';
  if (endpoint !== undefined) {
    return `a call of ${functionId} to AWS (${endpoint}) failed for its credentials. --aws passthrough hands yours on; --env-vars FILE can set others.`;
  }
  if (mode === 'none') {
    return `a call of ${functionId} to AWS failed for its credentials, since functions run without yours. --aws passthrough hands them on to all calls; ${emulator}.`;
  }
  const remedy = hasCredentials
    ? 'which are yours (--aws passthrough): sign in again, or name another profile with --profile NAME'
    : 'since --aws passthrough found none of yours: sign in, or name a profile with --profile NAME';
  return `a call of ${functionId} to AWS failed for its credentials, ${remedy}. For calls without AWS, ${emulator}.`;
}

function hostHint(functionId: string, { endpoint }: AwsAccess): string {
  return endpoint === undefined
    ? `a call of ${functionId} did not reach AWS. --aws-endpoint URL sends the calls of functions to an emulator; behind a proxy, --aws passthrough hands HTTPS_PROXY on.`
    : `a call of ${functionId} did not reach AWS at ${endpoint} (--aws-endpoint): check that the emulator runs there.`;
}
