import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { memberOf, objectOf } from '../../model/json.ts';

const SERVICE_FILES = ['serverless.yml', 'serverless.yaml', 'serverless.json'];
const SOURCE_SUFFIXES = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.tsx', '.py'];

/**
 * The handler in the source of a Serverless Framework service. The framework's dashboard and its bundlers write the
 * handler of the package (`s_hello.handler`, `hello.handler`) into the template, and that file is only in the package.
 * Returns `handler` when the service has its file, or when no other one is known. `templateDir` is `.serverless`.
 */
export function serverlessHandler(handler: string, functionName: string | undefined, templateDir: string): string {
  const service = dirname(templateDir);
  if (functionName === undefined || hasFile(service, handler)) return handler;
  const source = objectOf(memberOf(objectOf(readService(service).functions), functionName)).handler;
  return typeof source === 'string' && hasFile(service, source) ? source : handler;
}

function hasFile(folder: string, handler: string): boolean {
  const module = handler.replace(/\.[^./]*$/, '');
  return SOURCE_SUFFIXES.some((suffix) => existsSync(join(folder, module + suffix)));
}

/** Empty when the service has no such file, or one that cannot be parsed. */
function readService(folder: string): ReturnType<typeof objectOf> {
  const file = SERVICE_FILES.map((name) => join(folder, name)).find(existsSync);
  if (file === undefined) return {};
  try {
    return objectOf(parse(readFileSync(file, 'utf8'), { logLevel: 'silent' }));
  } catch {
    return {};
  }
}
