import { z } from 'zod';

const userSchema = z.object({
  user_id: z.string(),
  first_name: z.string(),
  last_name: z.string(),
  email: z.email(),
});

export type User = z.infer<typeof userSchema>;

/** The result of each function. `status_code` is that of the registration page. */
export type Registration = { readonly status_code: number } & User;

/** The event is not a user. Lambda reports the name as `errorType`, X-Ray as the type of the exception. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError';
}

/** Reads the event of an invocation. Throws ValidationError, which names every field that is wrong. */
export function parseUser(event: unknown): User {
  const parsed = userSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'event'}: ${issue.message}`);
  throw new ValidationError(problems.join('; '), { cause: parsed.error });
}
