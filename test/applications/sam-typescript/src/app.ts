import AWSXRay from 'aws-xray-sdk-core';
import { greet } from './greet.ts';

type ProxyEvent = { readonly queryStringParameters?: { readonly name?: string } | null };

export const lambdaHandler = async (event: ProxyEvent) =>
  AWSXRay.captureAsyncFunc('## greet', async (subsegment) => {
    const name = event.queryStringParameters?.name ?? 'world';
    subsegment?.addAnnotation('table', process.env.TABLE_NAME ?? '');
    try {
      return { statusCode: 200, body: JSON.stringify({ message: greet(name) }) };
    } catch (error) {
      subsegment?.addError(error as Error);
      throw error;
    } finally {
      subsegment?.close();
    }
  });
