import { EXTENSIONS_HEADER } from '../api/operation.ts';
import { OpenrayError } from '../errors.ts';
import { parseJson } from '../model/exact-json.ts';

/**
 * Calls an operation of a running server that changes nothing. Throws ServiceUnavailable when there is no server at
 * `url` or it cannot answer now, and InvalidRequestException with the server's own message when it refuses the request.
 */
export async function callServer<Body>(url: string, path: string, body: object): Promise<Body> {
  const response = await post(new URL(path, url), JSON.stringify(body));
  const json = parseJson(await response.text()) as Body & { readonly Message?: string };
  if (response.ok) return json;
  const message = json.Message ?? `status ${response.status}`;
  throw new OpenrayError(response.status === 503 ? 'ServiceUnavailable' : 'InvalidRequestException', message);
}

async function post(url: URL, body: string): Promise<Response> {
  const send = () => fetch(url, { method: 'POST', headers: { [EXTENSIONS_HEADER]: '1' }, body });
  try {
    // The server may close an idle connection while a request is sent. So a second one is tried.
    return await send().catch((thrown) => (isConnectionClosed(thrown) ? send() : Promise.reject(thrown)));
  } catch (cause) {
    const sentence = isConnectionClosed(cause)
      ? `the server at ${url.origin} closed the connection without an answer`
      : `there is no server at ${url.origin}; start a server with 'openray serve'`;
    throw new OpenrayError('ServiceUnavailable', sentence, { cause });
  }
}

const CLOSED: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

function isConnectionClosed(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof Error && 'code' in cause && CLOSED.includes(cause.code);
}
