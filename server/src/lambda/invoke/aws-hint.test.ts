import { expect, test } from 'vitest';
import { type AwsAccess, NO_AWS } from '../runtime/aws-access.ts';
import { writeFiles } from '../testing/local-lambda.ts';
import { awsHint, usesAwsSdk } from './aws-hint.ts';

const PASSTHROUGH = { ...NO_AWS, mode: 'passthrough' } as const;
const SIGNED_IN = { ...PASSTHROUGH, hasCredentials: true };
const EMULATOR = { ...NO_AWS, endpoint: 'http://127.0.0.1:4566' };

test.each([
  ['UnrecognizedClientException: The security token included in the request is invalid.', NO_AWS, '--aws passthrough'],
  ['CredentialsProviderError: Could not load credentials from any providers', NO_AWS, '--aws passthrough'],
  ['botocore.exceptions.NoCredentialsError: Unable to locate credentials', PASSTHROUGH, '--profile NAME'],
  ['An error occurred (InvalidAccessKeyId) when calling the ListBuckets operation', NO_AWS, '--aws-endpoint URL'],
  ['ExpiredTokenException: The security token included in the request is expired', SIGNED_IN, 'sign in again'],
  ['An error occurred (InvalidClientTokenId) when calling GetCallerIdentity', EMULATOR, '--env-vars FILE'],
  ['Error: getaddrinfo ENOTFOUND dynamodb.us-east-1.amazonaws.com', NO_AWS, '--aws-endpoint URL'],
  ['getaddrinfo EAI_AGAIN sqs.cn-north-1.amazonaws.com.cn', SIGNED_IN, 'HTTPS_PROXY'],
  ['Could not connect to the endpoint URL: "https://s3.amazonaws.com/b"', NO_AWS, '--aws-endpoint URL'],
  ['getaddrinfo ENOTFOUND localstack', NO_AWS, '--aws-endpoint URL'],
  ['connect ECONNREFUSED 127.0.0.1:4566', EMULATOR, 'check that the emulator runs'],
])('%s', (output, aws, part) => {
  const hint = awsHint('Orders', aws, `START\n${output}\nEND\n`);
  expect(hint).toContain('Orders');
  expect(hint).toContain(part);
});

test.each([
  'connect ECONNREFUSED 127.0.0.1:5432',
  'getaddrinfo ENOTFOUND db.example.com',
  'ResourceNotFoundException: Requested resource not found',
  'AccessDeniedException: User is not authorized to perform dynamodb:GetItem',
])('%s needs no hint', (output) => {
  expect(awsHint('Orders', EMULATOR, output)).toBeUndefined();
});

test.each(
  (['none', 'passthrough'] as const).flatMap((mode) =>
    [true, false].flatMap((hasCredentials) =>
      (['', '--aws-endpoint', 'AWS_ENDPOINT_URL'] as const).map((source) => [mode, hasCredentials, source] as const),
    ),
  ),
)('a hint for --aws %s, credentials %s, endpoint by "%s" names no setting that is in force', (mode, has, source) => {
  const url = 'http://127.0.0.1:4566';
  const aws: AwsAccess = {
    mode,
    hasCredentials: has && mode === 'passthrough',
    endpoint: source === '' ? undefined : url,
    variables: source === 'AWS_ENDPOINT_URL' ? { AWS_ENDPOINT_URL: url } : {},
  };
  const hint = awsHint('Orders', aws, 'UnrecognizedClientException: The security token is invalid') ?? '';
  expect(hint.includes('since functions run without yours. --aws passthrough passes them on')).toBe(mode === 'none');
  expect(hint.includes('found none of yours: sign in')).toBe(mode === 'passthrough' && !has);
  expect(hint.includes('which are yours (--aws passthrough): sign in again')).toBe(mode === 'passthrough' && has);
  expect(hint.includes('--aws-endpoint URL')).toBe(source === '');
  expect(hint.includes(`AWS at ${url} (${source}) failed`)).toBe(source !== '');
  const unreached = awsHint('Orders', aws, 'connect ECONNREFUSED 127.0.0.1:4566');
  expect(unreached?.includes(`${url} (${source})`)).toBe(source === '' ? undefined : true);
});

test('a timeout has a hint only where the code uses an SDK of AWS', async () => {
  const hintFor = async (files: Readonly<Record<string, string>>, aws: AwsAccess = NO_AWS) => {
    const dir = await writeFiles(files);
    return awsHint('Orders', aws, 'id Task timed out after 3.00 seconds', () => usesAwsSdk(dir));
  };
  expect(await hintFor({ 'app.py': 'import boto3\n' })).toContain('If it waits for AWS');
  expect(await hintFor({ 'index.mjs': "import { S3Client } from '@aws-sdk/client-s3';" })).toContain('--aws-endpoint');
  expect(await hintFor({ 'app.py': 'import requests\n', 'readme.txt': 'boto3' })).toBeUndefined();
  expect(await hintFor({ 'app.py': 'import boto3\n' }, PASSTHROUGH)).toMatch(/lacks credentials.*--profile NAME/);
  expect(await hintFor({ 'app.py': 'import boto3\n' }, SIGNED_IN)).toContain('check the network');
  expect(await hintFor({ 'app.py': 'import boto3\n' }, EMULATOR)).toContain('check that the emulator');
});
