import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import invalidEmail from '../../events/invalid_user_invalid_email.json' with { type: 'json' };
import brian from '../../events/valid_user.json' with { type: 'json' };

const page = createServer((request, response) => {
  if (request.url === '/hang-up/') request.destroy();
  else response.writeHead(request.url === '/2024/' ? 200 : 404).end();
});
let origin: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
});
afterAll(() => void page.close());

async function loadHandler(): Promise<typeof import('./index.ts').handler> {
  vi.stubEnv('REGISTRATION_URL', `${origin}/2024/`);
  return (await import('./index.ts')).handler;
}

/** Runs the handler in its own process, since the handler may exit. Rejects with `code` and `stdout` then. */
function runHandler(registrationUrl: string): Promise<{ stdout: string }> {
  const script = `import(${JSON.stringify(new URL('index.ts', import.meta.url))}).then(({ handler }) => handler(${JSON.stringify(brian)}))`;
  return promisify(execFile)(process.execPath, ['--import', 'tsx', '--eval', script], {
    env: { ...process.env, REGISTRATION_URL: registrationUrl },
  });
}

test('a valid user is registered, logged in one line, and returned after the status', async () => {
  const handler = await loadHandler();
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const registration = await handler(brian);
  expect(JSON.stringify(registration)).toBe(
    '{"status_code":200,"user_id":"brian1","first_name":"Brian","last_name":"McNamara","email":"brian@mcnamara.com"}',
  );
  expect(log.mock.calls).toEqual([['[Success] Added user Brian McNamara (brian1): 200']]);
});

test('an event that is not a user is rejected', async () => {
  const handler = await loadHandler();
  await expect(handler(invalidEmail)).rejects.toThrow('email: Invalid email address');
});

test('a page that does not answer 200 ends the process, after the failure line', async () => {
  await expect(runHandler(`${origin}/2023/`)).rejects.toMatchObject({
    code: 1,
    stdout: '[Failure] Could not add user Brian McNamara (brian1): 404\n',
  });
});

test('a page that hangs up counts as 500', async () => {
  await expect(runHandler(`${origin}/hang-up/`)).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/did not answer for brian1: .*\n\[Failure\] Could not add user .*: 500\n$/),
  });
});
