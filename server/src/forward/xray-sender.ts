import type { XRayClient } from '@aws-sdk/client-xray';
import type { SendResult } from './send-with-retries.ts';

/** Sends segment documents, up to the limit of one call. Never rejects. */
export type PutSegments = (documents: readonly string[], cancel: AbortSignal) => Promise<SendResult>;

const TIMEOUT_MS = 10_000;

/** Address of X-Ray's API: a region of AWS, or the URL of a server with the same API. */
export type XRayTarget = { readonly region: string; readonly endpoint: string | undefined };

/** `target` is a region or a URL. The region in the URL of an AWS endpoint is used to sign requests. */
export function xrayTarget(target: string, defaultRegion: string): XRayTarget {
  if (!URL.canParse(target)) return { region: target, endpoint: undefined };
  const region = /^xray(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)/.exec(new URL(target).hostname)?.[1];
  return { region: region ?? defaultRegion, endpoint: target };
}

/**
 * PutTraceSegments by the AWS SDK, signed with the credentials that the SDK finds (variables, profiles, roles). The
 * SDK is loaded only here. Does not retry: the caller does.
 */
export async function openXRaySender({ region, endpoint }: XRayTarget): Promise<{ put: PutSegments; close(): void }> {
  const { PutTraceSegmentsCommand, XRayClient } = await import('@aws-sdk/client-xray');
  const client: XRayClient = new XRayClient({ region, ...(endpoint !== undefined && { endpoint }), maxAttempts: 1 });
  const put: PutSegments = async (documents, cancel) => {
    try {
      const { UnprocessedTraceSegments: unprocessed = [] } = await client.send(
        new PutTraceSegmentsCommand({ TraceSegmentDocuments: [...documents] }),
        { abortSignal: AbortSignal.any([cancel, AbortSignal.timeout(TIMEOUT_MS)]) },
      );
      const [one] = unprocessed;
      return {
        kind: 'accepted',
        rejected: unprocessed.length,
        reason: one && `${one.Id}: ${one.ErrorCode} ${one.Message}`,
      };
    } catch (thrown) {
      return failureOf(thrown);
    }
  };
  return { put, close: () => client.destroy() };
}

/** Among statuses 4xx, throttling and credential failures are retried. Others mean that the request is invalid. */
function failureOf(thrown: unknown): SendResult {
  const { name, message, $metadata } = thrown as {
    name?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const reason = `${name ?? 'Error'}: ${message ?? String(thrown)}`;
  const status = $metadata?.httpStatusCode;
  const isFinal = status !== undefined && status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);
  return isFinal && name !== 'ThrottledException' ? { kind: 'rejected', reason } : { kind: 'retry', reason };
}
