import { memberOf } from '../../model/json.ts';
import type { Scope } from './intrinsics.ts';

const API_URL = /https:\/\/([A-Za-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\/[^/\s"']*)?/g;

/**
 * `text` with the URLs of the template's own APIs replaced by those that the gateway serves. Templates build such a URL
 * from the id of the API; the stage of a REST API is not part of the local URL.
 */
export function withLocalUrls(
  text: string,
  { resources, gatewayUrl }: Pick<Scope, 'resources' | 'gatewayUrl'>,
): string {
  return text.replace(API_URL, (url, apiId: string, stage = '') => {
    const { RestApiId: rest, ApiId: http } = memberOf(resources, apiId)?.attributes ?? {};
    if (rest !== undefined) return gatewayUrl;
    return http === undefined ? url : gatewayUrl + stage;
  });
}
