import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * AWS's runtime client for Java and all that it needs, at Maven Central.
 * @see https://github.com/aws/aws-lambda-java-libs
 */
export const JAVA_CLIENT_JARS: readonly JavaJar[] = [
  {
    group: 'com.amazonaws',
    artifact: 'aws-lambda-java-runtime-interface-client',
    version: '2.10.1',
    sha256: 'b0dd01f45b7258da0e32ade0bff950b12d0cf279ccebf416ad8c3795af21f1db',
  },
  {
    group: 'com.amazonaws',
    artifact: 'aws-lambda-java-core',
    version: '1.4.0',
    sha256: '575c24393cc1ad645e83e618956eabd89ffe8cc09efae2cb62bc6589154d68ed',
  },
  {
    group: 'com.amazonaws',
    artifact: 'aws-lambda-java-serialization',
    version: '1.2.0',
    sha256: '1513c1f945a3213f916a4b2de1760c97b51d84d110f82bbbcf9cfac53d5651e7',
  },
  {
    group: 'software.amazon.awssdk',
    artifact: 'utils-lite',
    version: '2.34.0',
    sha256: 'efaf784f07ae526f0b5c89d71ef21cf16636131c47d44616e3df9bedc3f4f89a',
  },
  {
    group: 'software.amazon.awssdk',
    artifact: 'annotations',
    version: '2.34.0',
    sha256: 'fafdcb55f4e5af603f5219f4a2b080aa0decb562a7c0944f7a7eca82dd47e487',
  },
];

export type JavaJar = {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly sha256: string;
};

export const JAVA_CLIENT_MAIN = 'com.amazonaws.services.lambda.runtime.api.client.AWSLambda';

/** Oldest Java that openray's own classes run on. */
export const JAVA_MIN = 11;

/** Of `openray runtime install java`: a folder for each version of the client and of openray's classes. */
export function javaClientDir(runtimesDir: string, packagesDir: string): string {
  const hash = createHash('sha256');
  for (const { sha256 } of JAVA_CLIENT_JARS) hash.update(sha256);
  for (const file of javaClientSources(runtimesDir)) hash.update(basename(file)).update(readFileSync(file));
  return join(packagesDir, 'java', hash.digest('hex').slice(0, 12));
}

/** openray's replacements of classes of the client; compiled when the client is installed. */
export function javaClientSources(runtimesDir: string): readonly string[] {
  const folder = join(runtimesDir, 'java');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.java'))
    .sort()
    .map((name) => join(folder, name));
}

export function jarName({ artifact, version }: JavaJar): string {
  return `${artifact}-${version}.jar`;
}

/** The class path of the installed client: openray's classes win. */
export function javaClientPath(dir: string): readonly string[] {
  return [join(dir, 'classes'), ...JAVA_CLIENT_JARS.map((jar) => join(dir, jarName(jar)))];
}
