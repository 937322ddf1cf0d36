import type { GetServerStatusResponse } from 'openray/api-types';

/** A reason why documents or packets were not stored, and how many. */
export type LossReason = {
  readonly key: string;
  readonly kind: 'Rejected' | 'Dropped' | 'Request refused' | 'Packet dropped';
  readonly count: number;
  readonly meaning: string;
  readonly advice: string;
};

type Explanation = { readonly meaning: string; readonly advice: string };

const SENDER = 'Correct the sender: with --log-level debug the log names each document.';

const QUEUE_ADVICE =
  'For bursts, raise --queue-max-bytes. For a lasting load, use a faster disk, a ClickHouse server (--store-url), ' +
  'or a lower sampling rate.';

const DOCUMENT_DROPS: Readonly<Record<string, Explanation>> = {
  'queue-full': {
    meaning: 'Documents arrived faster than the store writes them, and the queue was full.',
    advice: QUEUE_ADVICE,
  },
  'store-failed': {
    meaning: 'The store refused them: its disk is full, or it cannot be reached.',
    advice: 'Check the free space of the store and the server’s log. No restart is needed when the store works again.',
  },
};

const REQUEST_REFUSALS: Readonly<Record<string, Explanation>> = {
  'queue-full': {
    meaning:
      'Requests that were not read, since documents arrived faster than the store writes them. Senders may repeat them.',
    advice: QUEUE_ADVICE,
  },
};

const DATAGRAM_DROPS: Readonly<Record<string, Explanation>> = {
  'queue-full': {
    meaning: 'Packets that were not read, since documents arrived faster than the store writes them.',
    advice: QUEUE_ADVICE,
  },
  'socket-full': {
    meaning: 'The operating system dropped packets before the server could read them.',
    advice:
      'Allow a larger buffer (sysctl net.core.rmem_max=8388608, then restart), give the server more CPU time, ' +
      'or send over HTTP, where senders wait.',
  },
  'no-header': {
    meaning: 'Packets without the daemon’s header line.',
    advice: 'A sender that is not an X-Ray client uses this port; the ports of OpenTelemetry are 4317 and 4318.',
  },
  'bad-header': {
    meaning: 'Packets whose first line is not {"format":"json","version":1}.',
    advice: 'A sender that is not an X-Ray client uses this port.',
  },
  empty: { meaning: 'Packets with a header and no document.', advice: SENDER },
  'bad-spans': { meaning: 'Packets of OpenTelemetry spans that cannot be decoded.', advice: SENDER },
  unsampled: {
    meaning: 'Unsampled spans, which AWS’s distribution of OpenTelemetry sends for metrics.',
    advice: 'No action is needed. To store them, use --udp-unsampled.',
  },
  metrics: {
    meaning: 'Packets of OpenTelemetry metrics, which AWS’s distribution sends to the same port.',
    advice: 'No action is needed: they belong to no trace.',
  },
};

const REJECTIONS: Readonly<Record<string, Explanation>> = {
  DocumentTooLarge: {
    meaning: 'Documents larger than --document-max-bytes.',
    advice: 'Send subsegments as separate documents, or raise --document-max-bytes.',
  },
  DocumentTooDeep: {
    meaning: 'Documents that are nested too deeply.',
    advice: 'Send subsegments as separate documents, or flatten metadata.',
  },
  ParseError: { meaning: 'Documents that are not JSON, or that are cut off.', advice: SENDER },
  UnknownType: { meaning: 'Documents whose type is neither segment nor subsegment.', advice: SENDER },
  InvalidTraceId: {
    meaning: 'Documents whose trace id is invalid.',
    advice: 'X-Ray’s ids look like 1-58406520-a006649127e371903a2de979, OpenTelemetry’s are 32 hex digits.',
  },
};

/** Reasons of all losses, the most frequent first. */
export function lossReasonsOf({
  Rejections,
  Drops,
  RefusedRequests,
  Datagrams,
}: GetServerStatusResponse): readonly LossReason[] {
  const of = (
    kind: LossReason['kind'],
    counts: GetServerStatusResponse['Drops'],
    explanations: Readonly<Record<string, Explanation>>,
  ): readonly LossReason[] =>
    counts.map(({ Reason, Count }) => ({
      key: `${kind} ${Reason}`,
      kind,
      count: Count,
      ...(explanations[Reason] ?? { meaning: `Invalid documents: ${Reason}.`, advice: SENDER }),
    }));
  return [
    ...of('Dropped', Drops, DOCUMENT_DROPS),
    ...of('Request refused', RefusedRequests, REQUEST_REFUSALS),
    ...of('Packet dropped', Datagrams.Dropped, DATAGRAM_DROPS),
    ...of('Rejected', Rejections, REJECTIONS),
  ].sort((a, b) => b.count - a.count);
}
