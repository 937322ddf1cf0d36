import { OpenrayError } from '../../errors.ts';

/** The name of a function in a request, and the qualifier with it. */
export type FunctionReference = { readonly name: string; readonly qualifier: string | undefined };

const NAME = '[A-Za-z0-9_-]{1,140}';
const QUALIFIER = '(?::(\\$LATEST|[A-Za-z0-9_-]{1,128}))?';
const FORMS = [
  new RegExp(`^(${NAME})${QUALIFIER}$`),
  new RegExp(`^\\d{12}:function:(${NAME})${QUALIFIER}$`),
  new RegExp(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\\d{12}:function:(${NAME})${QUALIFIER}$`),
];

/**
 * Parses `name`, `account:function:name` or an ARN, each with or without a qualifier at its end.
 * Throws InvalidRequestException.
 */
export function parseFunctionReference(text: string): FunctionReference {
  for (const form of FORMS) {
    const parts = form.exec(text);
    if (parts?.[1] !== undefined) return { name: parts[1], qualifier: parts[2] };
  }
  throw new OpenrayError('InvalidRequestException', `not the name or ARN of a function: ${text.slice(0, 170)}`);
}
