import type { Context } from 'aws-lambda';
import { parseUser, type Registration, type User } from '../user.ts';
import { annotate, traced, tracedHandler } from './tracing.ts';

const endpoint = process.env.REGISTRATION_URL ?? 'http://127.0.0.1:8099/2024/';

/** Registers the user of the event, traced with OpenTelemetry. */
export const handler = tracedHandler(async (event: unknown, lambda: Context): Promise<Registration> => {
  const user = parseUser(event);
  const { status_code } = await submitUser(endpoint, user, lambda);
  const who = `${user.first_name} ${user.last_name} (${user.user_id})`;
  if (status_code !== 200) throw new Error(`Could not add user ${who}: ${status_code}`);
  console.log(`[Success] Added user ${who}: ${status_code}`);
  return { status_code, ...user };
});

/** Pretends to register: fetches the page. A page that cannot be reached counts as 500. */
function submitUser(endpoint: string, payload: User, lambda: Context): Promise<{ status_code: number }> {
  return traced('submitUser', async (span) => {
    annotate(span, { user_id: payload.user_id });
    span.setAttribute('log', `${lambda.logGroupName}/${lambda.logStreamName}`);
    try {
      const response = await fetch(endpoint, { signal: AbortSignal.timeout(3000) });
      await response.text();
      return { status_code: response.status };
    } catch (error) {
      span.recordException(error as Error);
      return { status_code: 500 };
    }
  });
}
