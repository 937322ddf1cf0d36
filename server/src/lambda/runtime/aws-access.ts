import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

/** The part of the caller's access to AWS that functions get. */
export type AwsAccess = {
  readonly mode: 'none' | 'passthrough';
  /** URL of an emulator that gets the calls to all services, except those that openray serves itself. */
  readonly endpoint: string | undefined;
  /** Variables of the caller that functions get. Empty without passthrough. */
  readonly variables: Readonly<Record<string, string>>;
  /** `variables`, or the files in the caller's home folder, lead to credentials. */
  readonly hasCredentials: boolean;
};

export const NO_AWS: AwsAccess = { mode: 'none', endpoint: undefined, variables: {}, hasCredentials: false };

const CREDENTIAL_NAMES = [
  ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE', 'AWS_DEFAULT_PROFILE'],
  ...['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN'],
  ...['AWS_ROLE_SESSION_NAME', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'],
  ...['AWS_CONTAINER_AUTHORIZATION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', 'AWS_EC2_METADATA_DISABLED'],
];
const PROXY_NAMES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
const NO_PROXY_NAMES = ['NO_PROXY', 'no_proxy'];
const CONNECTION_NAMES = [
  ...['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  ...['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT', 'AWS_STS_REGIONAL_ENDPOINTS', 'AWS_RETRY_MODE'],
  ...['AWS_MAX_ATTEMPTS', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'],
  ...['NODE_USE_ENV_PROXY', 'NODE_TLS_REJECT_UNAUTHORIZED', ...PROXY_NAMES, ...NO_PROXY_NAMES],
];

/**
 * Picks the caller's variables about AWS and about the way there. `endpoint` wins over the caller's endpoints, since it
 * was given for this run.
 */
export function readAwsAccess(
  { mode, endpoint }: Pick<AwsAccess, 'mode' | 'endpoint'>,
  hostVariables: Variables,
): AwsAccess {
  if (mode === 'none') return { ...NO_AWS, endpoint };
  const isPassedOn = (name: string) =>
    CREDENTIAL_NAMES.includes(name) ||
    CONNECTION_NAMES.includes(name) ||
    (endpoint === undefined && name.startsWith('AWS_ENDPOINT_URL'));
  const variables = Object.fromEntries(
    Object.entries(hostVariables).filter(
      (entry): entry is [string, string] => isPassedOn(entry[0]) && entry[1] !== undefined && entry[1] !== '',
    ),
  );
  return {
    mode,
    endpoint: endpoint ?? variables.AWS_ENDPOINT_URL,
    variables: { ...variables, ...noProxyVariables(variables) },
    hasCredentials: hasCredentials(hostVariables),
  };
}

/** Names that a function gets only together with the credentials of the caller. */
export function isCredentialName(name: string): boolean {
  return CREDENTIAL_NAMES.includes(name);
}

/** openray's own endpoints are on loopback, where the caller's proxy does not reach them. */
function noProxyVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  if (!PROXY_NAMES.some((name) => name in variables)) return {};
  return Object.fromEntries(
    NO_PROXY_NAMES.map((name) => {
      const before = variables[name] ?? variables.NO_PROXY ?? variables.no_proxy ?? '';
      return [name, [before, 'localhost', '127.0.0.1'].filter(Boolean).join(',')];
    }),
  );
}

function hasCredentials(variables: Variables): boolean {
  return (
    Boolean(variables.AWS_ACCESS_KEY_ID) ||
    Boolean(variables.AWS_PROFILE ?? variables.AWS_DEFAULT_PROFILE) ||
    Boolean(variables.AWS_WEB_IDENTITY_TOKEN_FILE) ||
    Boolean(variables.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI ?? variables.AWS_CONTAINER_CREDENTIALS_FULL_URI) ||
    Object.keys(readProfile(variables)).some((key) =>
      /^(aws_access_key_id|role_arn|credential_process|credential_source|login_session|web_identity|sso_)/.test(key),
    )
  );
}

/** The region of the caller's shell, else of the caller's profile. */
export function hostRegion(variables: Variables): string | undefined {
  return variables.AWS_REGION || variables.AWS_DEFAULT_REGION || readProfile(variables).region || undefined;
}

/** Settings of the caller's profile in the files of AWS's command line. Empty when there is none. */
function readProfile(variables: Variables): Record<string, string> {
  const name = variables.AWS_PROFILE || variables.AWS_DEFAULT_PROFILE || 'default';
  const [configFile, credentialsFile] = profileFiles(variables);
  return {
    ...sectionOf(readText(configFile), [name, `profile ${name}`]),
    ...sectionOf(readText(credentialsFile), [name]),
  };
}

/** The files of AWS's command line that hold profiles: `config`, then `credentials`. */
export function profileFiles(variables: Variables): readonly [config: string, credentials: string] {
  const folder = join(variables.HOME ?? '', '.aws');
  return [
    variables.AWS_CONFIG_FILE ?? join(folder, 'config'),
    variables.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials'),
  ];
}

/** Whether one of the files has a section for the profile. */
export function hasProfile(variables: Variables, name: string): boolean {
  const sections = profileFiles(variables).flatMap((file) =>
    readText(file)
      .split('\n')
      .map((line) => SECTION.exec(line)?.[1]),
  );
  return sections.includes(name) || sections.includes(`profile ${name}`);
}

const SECTION = /^\s*\[\s*(.+?)\s*\]/;

function sectionOf(text: string, names: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  let isWanted = false;
  for (const line of text.split('\n')) {
    const section = SECTION.exec(line)?.[1];
    if (section !== undefined) isWanted = names.includes(section);
    const [, key, value] = /^(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (isWanted && key !== undefined && value !== undefined) values[key] = value;
  }
  return values;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
