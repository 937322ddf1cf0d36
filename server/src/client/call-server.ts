import { OpenrayError } from '../errors.ts';

/**
 * One operation of a running openray. Throws ServiceUnavailable when nothing answers there, and InvalidRequestException
 * with what the server refused, in its own words.
 */
export async function callServer<Answer>(url: string, path: string, body: object): Promise<Answer> {
  let answer: Response;
  try {
    answer = await fetch(new URL(path, url), { method: 'POST', body: JSON.stringify(body) });
  } catch (cause) {
    const sentence = `nothing answers at ${new URL(url).origin}; start a server with 'openray serve'`;
    throw new OpenrayError('ServiceUnavailable', sentence, { cause });
  }
  const json = (await answer.json()) as Answer & { readonly Message?: string };
  if (answer.ok) return json;
  throw new OpenrayError('InvalidRequestException', json.Message ?? `status ${answer.status}`);
}
