import { OpenrayError } from '../../errors.ts';
import type { Cluster } from './store-url.ts';

type ClusterDatabase = Cluster & { readonly database: string };

/**
 * Translates a statement of the schema into statements for every node of a cluster. Undefined for other statements,
 * which run unchanged. For each table `t` every node has `t_local`, which holds rows, and `t`, which reads all shards.
 *
 * Tables with a `trace_id` are sharded by it: all rows of a trace are on one shard. Other tables are sharded by their
 * key, so that the rows that ReplacingMergeTree replaces are on one shard, or by the column that a comment in the table
 * names.
 */
export function clusterStatements(statement: string, cluster: ClusterDatabase): readonly string[] | undefined {
  const text = statement.replace(/^(\s*--.*\n)+/, '').trim();
  const copied = COPY.exec(text);
  if (copied) return copyTable(copied, cluster);
  const [, verb = '', name = '', rest = ''] = STATEMENT.exec(text) ?? [];
  switch (verb.replace(/\s+/g, ' ')) {
    case 'CREATE TABLE IF NOT EXISTS':
      return createTables(name, rest, cluster);
    case 'CREATE VIEW IF NOT EXISTS':
      return [`${verb} ${cluster.database}.${name}${onClusterClause(cluster)}${rest}`];
    case 'ALTER TABLE':
      return alterTables(name, rest, cluster);
    case 'OPTIMIZE TABLE':
    case 'DELETE FROM':
      return [`${verb} ${cluster.database}.${name}_local${onClusterClause(cluster)}${rest}`];
  }
  if (/^(CREATE|ALTER|DROP|RENAME|TRUNCATE|EXCHANGE|ATTACH|DETACH)\b/i.test(text)) {
    throw new OpenrayError(
      'InternalFailure',
      `The schema has a statement that no cluster supports: ${text.slice(0, 80)}`,
    );
  }
  return undefined;
}

const STATEMENT =
  /^((?:CREATE\s+(?:TABLE|VIEW)\s+IF\s+NOT\s+EXISTS)|(?:ALTER|OPTIMIZE)\s+TABLE|DELETE\s+FROM)\s+(\w+)(.*)$/s;
const COPY = /^(BACKUP|RESTORE) TABLE (\S+) AS (\S+)(.*)$/s;
const ENGINE = /\bENGINE = (\w*MergeTree)(?:\(([^)]*)\))?/;

function createTables(name: string, definition: string, cluster: ClusterDatabase): readonly string[] {
  const { database } = cluster;
  const engine = ENGINE.exec(definition);
  if (engine === null) {
    throw new OpenrayError('InternalFailure', `The schema has a table that no cluster supports: ${name}`);
  }
  const columns = definition.slice(0, engine.index);
  const storage = definition.slice(engine.index);
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.${name}_local${onClusterClause(cluster)}${columns}` +
      (cluster.isReplicated ? storage.replace(ENGINE, replicatedEngine) : storage),
    `CREATE TABLE IF NOT EXISTS ${database}.${name}${onClusterClause(cluster)}${distributedColumns(columns)}` +
      `ENGINE = Distributed('${cluster.name}', '${database}', '${name}_local', ${shardingKey(definition)})`,
  ];
}

/**
 * Columns of the distributed table. Columns that the local table computes (ALIAS) are MATERIALIZED here: as ALIAS their
 * expression would be written into the query of the shard, and fail where the select list uses the same name for
 * another expression. The distributed table never writes them.
 */
function distributedColumns(columns: string): string {
  return columns
    .replace(/--.*$/gm, '')
    .replace(/,?\s*\bINDEX \w+ .*$/gm, '')
    .replace(/ ALIAS /g, ' MATERIALIZED ')
    .replace(/\n\s*(?=\n)/g, '');
}

/** The path contains no UUID: a node that joins later finds the tables of its shard by name. */
function replicatedEngine(_: string, engine: string, args = ''): string {
  const more = args.trim() === '' ? '' : `, ${args}`;
  return `ENGINE = Replicated${engine}('/openray/{database}/{table}/{shard}', '{replica}'${more})`;
}

function shardingKey(definition: string): string {
  const own = /^\s*-- Sharded by (\w+)\b/m.exec(definition)?.[1];
  if (own !== undefined) return own;
  if (/^\s*trace_id\s/m.test(definition)) return 'cityHash64(trace_id)';
  const key = /\bORDER BY (\([^()]*\)|\w+)/.exec(definition)?.[1] ?? '';
  return `cityHash64(${key.replace(/^\(|\)$/g, '')})`;
}

/** Each shard copies the rows of its local table. One of the two names is the name in the backup. */
function copyTable([, verb, from = '', to = '', rest]: readonly string[], cluster: ClusterDatabase): readonly string[] {
  const local = (name: string) => `${name.includes('.') ? name : `${cluster.database}.${name}`}_local`;
  return [`${verb} TABLE ${local(from)} AS ${local(to)}${onClusterClause(cluster)}${rest}`];
}

/** Changes of rows, indexes and settings apply to the local table; changes of columns to both tables. */
function alterTables(name: string, changes: string, cluster: ClusterDatabase): readonly string[] {
  const { database } = cluster;
  const statements = [`ALTER TABLE ${database}.${name}_local${onClusterClause(cluster)}${changes}`];
  const ofColumns = splitAtCommas(distributedColumns(changes)).filter((change) =>
    /^(ADD|DROP|MODIFY|RENAME) COLUMN\b/i.test(change),
  );
  if (ofColumns.length > 0) {
    statements.push(`ALTER TABLE ${database}.${name}${onClusterClause(cluster)} ${ofColumns.join(', ')}`);
  }
  return statements;
}

/** Commas inside parentheses and quotes separate nothing. */
function splitAtCommas(text: string): readonly string[] {
  const parts = text.match(/(?:'(?:[^'\\]|\\.)*'|\((?:[^()]|\([^()]*\))*\)|[^,'(])+/g) ?? [];
  return parts.map((part) => part.trim());
}

const onClusterClause = ({ name, isReplicated }: Cluster): string => (isReplicated ? ` ON CLUSTER '${name}'` : '');
