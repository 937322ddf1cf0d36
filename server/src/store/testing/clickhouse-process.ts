/**
 * A real ClickHouse server in this process, from the library of the embedded store. Arguments are those of
 * `clickhouse local`. Ends by SIGKILL, or when its standard input closes because the parent process has ended.
 */
import { libchdbPath } from 'chdb/libchdb';
import { DataType, load, open } from 'ffi-rs';

const args = ['clickhouse', ...process.argv.slice(2)];
// The library never ends its threads, so a normal exit would hang.
const end = () => process.kill(process.pid, 'SIGKILL');

process.stdin.on('end', end).on('error', end).resume();
open({ library: 'chdb', path: libchdbPath() });
// In a new thread: the engine's check of the stack fails on a stack that V8 has moved.
await load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
  runInNewThread: true,
});
end();
