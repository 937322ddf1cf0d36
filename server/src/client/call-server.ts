import { EXTENSIONS_HEADER } from '../api/operation.ts';
import { OpenrayError } from '../errors.ts';
import { parseJson } from '../model/exact-json.ts';

/**
 * Calls an operation of a running server. Throws ServiceUnavailable when there is no server at `url`, and
 * InvalidRequestException with the server's own message when it refuses the request.
 */
export async function callServer<Body>(url: string, path: string, body: object): Promise<Body> {
  let response: Response;
  try {
    const headers = { [EXTENSIONS_HEADER]: '1' };
    response = await fetch(new URL(path, url), { method: 'POST', headers, body: JSON.stringify(body) });
  } catch (cause) {
    const sentence = `there is no server at ${new URL(url).origin}; start a server with 'openray serve'`;
    throw new OpenrayError('ServiceUnavailable', sentence, { cause });
  }
  const json = parseJson(await response.text()) as Body & { readonly Message?: string };
  if (response.ok) return json;
  throw new OpenrayError('InvalidRequestException', json.Message ?? `status ${response.status}`);
}
