import { definedMembers, type JsonObject } from '../../json.ts';
import { type Attributes, consumeText, firstInteger, firstText } from './attributes.ts';
import { databaseSystem, isSqlSystem } from './database.ts';

/** X-Ray's `sql`; undefined for a call to another kind of service. */
export function sqlOf(attributes: Attributes): JsonObject | undefined {
  const system = databaseSystem(attributes);
  if (system === undefined || !isSqlSystem(system)) return undefined;
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
