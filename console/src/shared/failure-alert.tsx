import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import type { ReactElement } from 'react';
import { ApiFailure } from './api.ts';

/** The error of a failed request, with advice. */
export function FailureAlert({
  error,
  onRetry,
}: {
  readonly error: Error;
  readonly onRetry?: () => void;
}): ReactElement {
  const code = error instanceof ApiFailure ? error.code : 'Error';
  // A retry of an invalid request fails in the same way.
  const retry = code === 'InvalidRequestException' ? undefined : onRetry;
  return (
    <Alert type="error" header={headerOf(code)} action={retry && <Button onClick={retry}>Try again</Button>}>
      {sentence(error.message)} {adviceFor(code)}
    </Alert>
  );
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function headerOf(code: string): string {
  switch (code) {
    case 'Unreachable':
      return 'No connection';
    case 'InvalidRequestException':
      return 'The server refused this request';
    case 'ShardUnreachable':
      return 'The trace cannot be looked up now';
    case 'ThrottledException':
      return 'The server is busy';
    case 'QueryTimeout':
      return 'The query took too long';
    default:
      return `The request failed (${code})`;
  }
}

function adviceFor(code: string): string {
  switch (code) {
    case 'Unreachable':
      return `Check that “openray serve” runs at ${location.host}. The page refreshes when the server answers again.`;
    case 'InvalidRequestException':
      return 'Correct the filter or the time range.';
    case 'ShardUnreachable':
      return 'The page opens the trace when all shards can be reached.';
    case 'ThrottledException':
      return 'Wait a moment, then try again.';
    case 'QueryTimeout':
      return 'Choose a shorter time range, or add a condition to the filter.';
    default:
      return 'The server’s log has the reason.';
  }
}
