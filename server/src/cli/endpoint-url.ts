import { OpenrayError } from '../errors.ts';

/** Reads the value of `--endpoint-url`. Throws InvalidRequestException for a text that is not an http or https URL. */
export function readEndpointUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new OpenrayError('InvalidRequestException', `--endpoint-url ${text} is not an http or https URL`);
}
