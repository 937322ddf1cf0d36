import type { JsonObject } from '../../json.ts';
import { type Attributes, takeText, text, whole } from './attributes.ts';
import { present } from './resource.ts';

/** Databases that are asked in SQL, by the names of all conventions. For others X-Ray has no block. */
const SQL_SYSTEMS = new Set(
  `db2 ibm.db2 derby hive mariadb mssql microsoft.sql_server mysql oracle oracle.db postgresql sqlite teradata other_sql
   aws.redshift redshift cockroachdb gcp.spanner spanner clickhouse trino h2 h2database hsqldb firebird firebirdsql
   sap.hana hanadb sap.maxdb maxdb sybase vertica ibm.informix informix ibm.netezza netezza ingres actian.ingres`.split(
    /\s+/,
  ),
);

/** X-Ray's `sql`; undefined where no SQL database is called. */
export function sqlOf(attributes: Attributes): JsonObject | undefined {
  const system = text(attributes, 'db.system.name', 'db.system');
  if (system === undefined || !SQL_SYSTEMS.has(system)) return undefined;
  return present({
    url: urlOf(system, attributes),
    connection_string: takeText(attributes, 'db.connection_string'),
    database_type: takeText(attributes, 'db.system.name', 'db.system'),
    user: takeText(attributes, 'db.user'),
    sanitized_query: takeText(attributes, 'db.query.text', 'db.statement'),
  });
}

/** `postgresql://db.example:5432/orders`, without a password because nobody tells one. */
function urlOf(system: string, attributes: Attributes): string | undefined {
  const host = text(attributes, 'server.address', 'net.peer.name');
  const port = whole(attributes, 'server.port', 'net.peer.port');
  const database = text(attributes, 'db.namespace', 'db.name');
  if (host === undefined) return undefined;
  return `${system}://${host}${port === undefined ? '' : `:${port}`}${database === undefined ? '' : `/${database}`}`;
}
