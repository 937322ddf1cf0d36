import { z } from 'zod';
import { operation } from '../operation.ts';
import type { GetServerStatusResponse, WireCount } from '../types.ts';
import { toSeconds } from '../xray/wire.ts';

/**
 * GetServerStatus, openray's own: what this server took since it started and what became of it, and what is stored, by
 * all servers on the store. The counters are those of `/metrics`.
 */
export const getServerStatus = operation({
  name: 'GetServerStatus',
  path: '/ServerStatus',
  input: z.object({}),
  async run(_input, { store, stats, retentionRules, signal, onIncomplete }): Promise<GetServerStatusResponse> {
    const { documents, bytes, freeBytes, oldestDayUs, queueMaxBytes, retention } = await store.usage({
      signal,
      onIncomplete,
    });
    // Read together, once nothing has to be waited for any more: so that they add up.
    const { queuedBytes, prunedBeforeUs } = store.statistics();
    const datagramDrops = countsOf(stats.datagrams.dropped);
    return {
      Time: Date.now() / 1000,
      StartTime: stats.startedUs / 1e6,
      Documents: Object.entries(stats.documents).map(([door, { received, stored, queued, rejected, dropped }]) => ({
        Door: door,
        Received: received,
        Stored: stored,
        Queued: queued,
        Rejected: rejected,
        Dropped: dropped,
      })),
      Rejections: countsOf(stats.rejections),
      Drops: countsOf(stats.drops),
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
      },
    };
  },
});

/** The most frequent first. */
function countsOf(counters: ReadonlyMap<string, number>): readonly WireCount[] {
  return Array.from(counters, ([Reason, Count]) => ({ Reason, Count })).sort((a, b) => b.Count - a.Count);
}
