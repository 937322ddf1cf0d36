/** The same tests on a cluster, where each shard stores a part of the traces. */
process.env.ORACLE_STORE = 'store of two shards';
process.env.ORACLE_TRACES ??= '100';
await import('./oracle.test.ts');
