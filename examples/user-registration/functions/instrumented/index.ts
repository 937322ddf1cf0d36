import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import type { Context } from 'aws-lambda';
import { parseUser, type Registration, type User } from '../user.ts';

const endpoint = process.env.REGISTRATION_URL ?? 'http://127.0.0.1:8099/2024/';

const logger = new Logger();
const metrics = new Metrics();
// Also traces every later HTTP request, `fetch` included.
const tracer = new Tracer();

class UserRegistration {
  /** Registers the user of the event. The tracer is innermost, so that it sees what the handler throws. */
  @metrics.logMetrics()
  @logger.injectLambdaContext()
  @tracer.captureLambdaHandler()
  async handler(event: unknown, context: Context): Promise<Registration> {
    const user = parseUser(event);
    const { status_code } = await this.submitUser(endpoint, user, context);
    if (status_code !== 200) {
      const { first_name, last_name, user_id } = user;
      const failure = `Could not add user ${first_name} ${last_name} (${user_id}): ${status_code}`;
      logger.error(failure);
      // Throws, where the vanilla function exits: an exit loses open subsegments and unwritten metrics.
      throw new Error(failure);
    }
    logger.info('submit_user successful', user);
    return { status_code, ...user };
  }

  /** Pretends to register: fetches the page. A page that cannot be reached counts as 500. */
  @tracer.captureMethod()
  async submitUser(endpoint: string, payload: User, context: Context): Promise<{ status_code: number }> {
    tracer.putAnnotation('user_id', payload.user_id);
    tracer.putMetadata('log', `${context.logGroupName}/${context.logStreamName}`);
    tracer.putMetadata('request_id', context.awsRequestId);
    try {
      const response = await fetch(endpoint, { signal: AbortSignal.timeout(3000) });
      await response.text();
      metrics.addMetric('SuccessfulSubmission', MetricUnit.Count, 1);
      return { status_code: response.status };
    } catch (error) {
      logger.error('the registration page did not answer', error as Error);
      metrics.addMetric('UnsuccessfulSubmission', MetricUnit.Count, 1);
      return { status_code: 500 };
    }
  }
}

const registration = new UserRegistration();
export const handler = registration.handler.bind(registration);
