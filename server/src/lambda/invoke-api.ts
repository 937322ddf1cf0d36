import type { Functions } from './functions.ts';
export async function handleInvokeApi(_functions: Functions, _request: unknown) {
  return { status: 200, headers: {}, body: '' };
}
