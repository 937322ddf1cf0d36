import type { GetServerStatusResponse } from 'openray/api-types';

type Given = Partial<GetServerStatusResponse> & { readonly stored?: number; readonly dropped?: number };

/** Status of a server that started at 1,000 s and received all documents over HTTP; given members replace others. */
export function aServerStatus({ stored = 0, dropped = 0, ...more }: Given = {}): GetServerStatusResponse {
  return {
    Time: 2_000,
    Addresses: { Daemon: '127.0.0.1:2000', OtlpHttp: 'http://127.0.0.1:4318', OtlpGrpc: 'http://127.0.0.1:4317' },
    Functions: [],
    StartTime: 1_000,
    Documents: [
      { Receiver: 'http', Received: stored + dropped, Stored: stored, Queued: 0, Rejected: 0, Dropped: dropped },
      { Receiver: 'udp', Received: 0, Stored: 0, Queued: 0, Rejected: 0, Dropped: 0 },
    ],
    Rejections: [],
    Drops: dropped > 0 ? [{ Reason: 'queue-full', Count: dropped }] : [],
    RefusedRequests: [],
    Datagrams: { Received: 0, Read: 0, Dropped: [] },
    Forwards: [],
    Store: {
      IsShared: false,
      Documents: stored,
      Bytes: stored * 60,
      FreeBytes: 1e9,
      OldestDay: null,
      PrunedBefore: null,
      RetentionDays: 30,
      RetentionRules: [],
      RetentionMaxBytes: null,
      QueuedBytes: 0,
      QueueMaxBytes: 1e8,
      DamagedParts: [],
    },
    ...more,
  };
}
