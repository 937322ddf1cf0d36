/** `npm run sql -- 'SELECT …' [--data-dir DIR]`: one read-only query of an embedded store. Its server must be stopped. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Session } from 'chdb';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'data-dir': { type: 'string', default: join(homedir(), '.openray') } },
});

const query = positionals[0] ?? 'SHOW TABLES';
const session = new Session(join(values['data-dir'], 'clickhouse'));
try {
  await session.queryAsync('USE openray');
  await session.queryAsync('SET readonly = 1');
  const result = await session.queryAsync(query, { format: 'PrettyCompactMonoBlock' });
  process.stdout.write(result.text());
} catch (thrown) {
  // The engine's message names the problem of the query.
  process.stderr.write(`${(thrown as Error).message}\n`);
  process.exitCode = 1;
} finally {
  session.close();
}
