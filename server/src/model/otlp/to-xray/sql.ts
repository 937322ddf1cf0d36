import { definedMembers, type JsonObject } from '../../json.ts';
import { type Attributes, consumeText, firstInteger, firstText } from './attributes.ts';

/** SQL databases, by the names of all conventions. X-Ray has no member for other databases. */
const SQL_SYSTEMS = new Set(
  `db2 ibm.db2 derby hive mariadb mssql microsoft.sql_server mysql oracle oracle.db postgresql sqlite teradata other_sql
   aws.redshift redshift cockroachdb gcp.spanner spanner clickhouse trino h2 h2database hsqldb firebird firebirdsql
   sap.hana hanadb sap.maxdb maxdb sybase vertica ibm.informix informix ibm.netezza netezza ingres actian.ingres`.split(
    /\s+/,
  ),
);

/** X-Ray's `sql`; undefined for a call to another kind of service. */
export function sqlOf(attributes: Attributes): JsonObject | undefined {
  const system = firstText(attributes, 'db.system.name', 'db.system');
  if (system === undefined || !SQL_SYSTEMS.has(system)) return undefined;
  return definedMembers({
    url: urlOf(system, attributes),
    connection_string: consumeText(attributes, 'db.connection_string'),
    database_type: consumeText(attributes, 'db.system.name', 'db.system'),
    user: consumeText(attributes, 'db.user'),
    sanitized_query: consumeText(attributes, 'db.query.text', 'db.statement'),
  });
}

/** For example `postgresql://db.example:5432/orders`. Attributes have no password. */
function urlOf(system: string, attributes: Attributes): string | undefined {
  const host = firstText(attributes, 'server.address', 'net.peer.name');
  const port = firstInteger(attributes, 'server.port', 'net.peer.port');
  const database = firstText(attributes, 'db.namespace', 'db.name');
  if (host === undefined) return undefined;
  return `${system}://${host}${port === undefined ? '' : `:${port}`}${database === undefined ? '' : `/${database}`}`;
}
