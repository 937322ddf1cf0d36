/** The same on a cluster: its answers are put together from those of shards that each see some of the traces. */
process.env.ORACLE_STORE = 'store of two shards';
process.env.ORACLE_TRACES ??= '100';
await import('./oracle.test.ts');
