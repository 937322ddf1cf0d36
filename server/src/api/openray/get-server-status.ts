import * as z from 'zod';
import { toSeconds } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetServerStatusResponse, WireCount } from '../types.ts';

/**
 * GetServerStatus, openray's own: the addresses in force, counters of this server since its start (those of `/metrics`),
 * and the documents and bytes that all servers on the store have stored.
 */
export const getServerStatus = operation({
  name: 'GetServerStatus',
  path: '/ServerStatus',
  readsDocuments: true,
  input: z.object({}),
  async run(_input, context): Promise<GetServerStatusResponse> {
    const { store, stats, retentionRules, receivers, signal, onIncomplete } = context;
    const { documents, bytes, freeBytes, oldestDayUs, queueMaxBytes, retention } = await store.usage({
      signal,
      onIncomplete,
    });
    // Read after the last await and in one turn, so that the sums hold.
    const { queuedBytes, prunedBeforeUs } = store.statistics();
    const { daemonAddress, otlpHttpUrl, otlpGrpcUrl, functions } = receivers();
    const refusedRequests = Object.values(stats.refusedRequests).reduce((sum, count) => sum + count, 0);
    const datagramDrops = countsOf(stats.datagrams.dropped);
    return {
      Time: Date.now() / 1000,
      StartTime: stats.startedUs / 1e6,
      Addresses: { Daemon: daemonAddress, OtlpHttp: otlpHttpUrl ?? null, OtlpGrpc: otlpGrpcUrl ?? null },
      Functions: functions,
      Documents: Object.entries(stats.documents).map(([receiver, { received, stored, queued, rejected, dropped }]) => ({
        Receiver: receiver,
        Received: received,
        Stored: stored,
        Queued: queued,
        Rejected: rejected,
        Dropped: dropped,
      })),
      Rejections: countsOf(stats.rejections),
      Drops: countsOf(stats.drops),
      RefusedRequests: refusedRequests === 0 ? [] : [{ Reason: 'queue-full', Count: refusedRequests }],
      Datagrams: {
        Received: stats.datagrams.received,
        Read: stats.datagrams.received - datagramDrops.reduce((sum, { Count }) => sum + Count, 0),
        Dropped: datagramDrops,
      },
      Forwards: Array.from(stats.forwards, ([target, { received, sent, queued, rejected, dropped, retries }]) => ({
        Target: target,
        Received: received,
        Sent: sent,
        Queued: queued,
        Rejected: rejected,
        Dropped: dropped,
        Retries: retries,
      })),
      Store: {
        IsShared: store.isShared,
        Documents: documents,
        Bytes: bytes,
        FreeBytes: freeBytes ?? null,
        OldestDay: toSeconds(oldestDayUs),
        PrunedBefore: toSeconds(prunedBeforeUs),
        RetentionDays: (retention.defaultDays ?? retention.days) || null,
        RetentionRules: retentionRules,
        RetentionMaxBytes: retention.bytes === 0 ? null : retention.bytes,
        QueuedBytes: queuedBytes,
        QueueMaxBytes: queueMaxBytes,
        DamagedParts: store
          .damagedParts()
          .map(({ table, name, reason }) => ({ Table: table, Part: name, Reason: reason })),
      },
    };
  },
});

/** Sorted by count, the most frequent first. */
function countsOf(counters: ReadonlyMap<string, number>): readonly WireCount[] {
  return Array.from(counters, ([Reason, Count]) => ({ Reason, Count })).sort((a, b) => b.Count - a.Count);
}
