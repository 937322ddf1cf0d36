import type { GetServerStatusResponse } from 'openray/api-types';

/** Why something was not stored: what that means, and what to do. */
export type LossReason = {
  readonly key: string;
  readonly kind: 'Rejected' | 'Dropped' | 'Packet dropped';
  readonly count: number;
  readonly meaning: string;
  readonly advice: string;
};

type Explanation = { readonly meaning: string; readonly advice: string };

const SENDER = 'Correct the sender: --log-level debug names each one.';

const DOCUMENT_DROPS: Readonly<Record<string, Explanation>> = {
  'queue-full': {
    meaning: 'Documents came faster than the store takes them, and the queue was full.',
    advice:
      'For bursts, a longer queue: --queue-max-bytes. When it lasts, a faster disk, a ClickHouse of its own (--store-url), or lower sampling.',
  },
  'store-failed': {
    meaning: 'The store did not take them: its disk is full, or it is away.',
    advice: 'Look at the space below and at the server’s log. It goes on by itself once the store is back.',
  },
};

const DATAGRAM_DROPS: Readonly<Record<string, Explanation>> = {
  'socket-full': {
    meaning: 'The system dropped packets before the server could read them.',
    advice:
      'Allow a larger buffer (sysctl net.core.rmem_max=8388608, then restart), give the server more of the CPU, or send over HTTP, which waits.',
  },
  'no-header': {
    meaning: 'Packets without the daemon’s header line.',
    advice: 'Something other than an X-Ray client sends to this port; OpenTelemetry belongs to 4317 or 4318.',
  },
  'bad-header': {
    meaning: 'Packets whose first line is not {"format":"json","version":1}.',
    advice: 'Something other than an X-Ray client sends to this port.',
  },
  empty: { meaning: 'Packets with a header and no document.', advice: SENDER },
  'bad-spans': { meaning: 'Packets of OpenTelemetry spans that can not be decoded.', advice: SENDER },
  unsampled: {
    meaning: 'Spans that their sender did not sample; AWS’s distribution sends them for metrics.',
    advice: 'Nothing to do, or keep them: --udp-unsampled.',
  },
  metrics: {
    meaning: 'Packets of OpenTelemetry metrics, as AWS’s distribution sends them to the same port.',
    advice: 'Nothing to do: they belong to no trace.',
  },
};

const REJECTIONS: Readonly<Record<string, Explanation>> = {
  DocumentTooLarge: {
    meaning: 'Documents larger than this server takes.',
    advice: 'Send subsegments apart, or raise --document-max-bytes.',
  },
  DocumentTooDeep: { meaning: 'Documents that nest too deep.', advice: 'Send subsegments apart, or flatten metadata.' },
  ParseError: { meaning: 'Documents that are not JSON, or cut off.', advice: SENDER },
  UnknownType: { meaning: 'Documents whose type is neither segment nor subsegment.', advice: SENDER },
  InvalidTraceId: {
    meaning: 'Documents with an id of no trace.',
    advice: 'X-Ray’s ids look like 1-58406520-a006649127e371903a2de979, OpenTelemetry’s are 32 hex digits.',
  },
};

/** Everything that was not stored, the most frequent first. */
export function lossReasonsOf({ Rejections, Drops, Datagrams }: GetServerStatusResponse): readonly LossReason[] {
  const of = (
    kind: LossReason['kind'],
    counts: GetServerStatusResponse['Drops'],
    words: Readonly<Record<string, Explanation>>,
  ): readonly LossReason[] =>
    counts.map(({ Reason: cause, Count }) => ({
      key: `${kind} ${cause}`,
      kind,
      count: Count,
      ...(words[cause] ?? { meaning: `Documents were faulty: ${cause}.`, advice: SENDER }),
    }));
  return [
    ...of('Dropped', Drops, DOCUMENT_DROPS),
    ...of('Packet dropped', Datagrams.Dropped, DATAGRAM_DROPS),
    ...of('Rejected', Rejections, REJECTIONS),
  ].sort((a, b) => b.count - a.count);
}
