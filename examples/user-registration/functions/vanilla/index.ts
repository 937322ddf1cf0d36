import { parseUser, type Registration, type User } from '../user.ts';

const endpoint = process.env.REGISTRATION_URL ?? 'http://127.0.0.1:8099/2024/';

/** Registers the user of the event. Its only output is a line of text. */
export async function handler(event: unknown): Promise<Registration> {
  const user = parseUser(event);
  const { status_code } = await submitUser(endpoint, user);
  const who = `${user.first_name} ${user.last_name} (${user.user_id})`;
  if (status_code !== 200) {
    console.log(`[Failure] Could not add user ${who}: ${status_code}`);
    // Ends the whole environment, not only this invocation: the caller gets Runtime.ExitError.
    process.exit(1);
  }
  console.log(`[Success] Added user ${who}: ${status_code}`);
  return { status_code, ...user };
}

/** Pretends to register: fetches the page. A page that cannot be reached counts as 500. */
async function submitUser(endpoint: string, payload: User): Promise<{ status_code: number }> {
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(3000) });
    await response.text();
    return { status_code: response.status };
  } catch (error) {
    console.log(`[Failure] ${endpoint} did not answer for ${payload.user_id}: ${error}`);
    return { status_code: 500 };
  }
}
