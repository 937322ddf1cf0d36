/**
 * A real ClickHouse server in this process, from the library that the embedded store uses: the arguments are those of
 * `clickhouse local`. Ends with SIGKILL, or by itself when its standard input closes: whoever started it is gone then.
 */
import { libchdbPath } from 'chdb/libchdb';
import { DataType, load, open } from 'ffi-rs';

const args = ['clickhouse', ...process.argv.slice(2)];
// The library never lets go of its threads, so that an orderly exit would wait for ever.
const end = () => process.kill(process.pid, 'SIGKILL');

process.stdin.on('end', end).on('error', end).resume();
open({ library: 'chdb', path: libchdbPath() });
// On a thread of its own: the engine's check of the stack fails on a stack that V8 has moved.
await load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
  runInNewThread: true,
});
end();
