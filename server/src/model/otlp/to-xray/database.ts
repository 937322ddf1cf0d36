import { type Attributes, firstText } from './attributes.ts';

/** SQL databases, by the names of all conventions. */
const SQL_SYSTEMS = new Set(
  `db2 ibm.db2 derby hive mariadb mssql microsoft.sql_server mysql oracle oracle.db postgresql sqlite teradata other_sql
   aws.redshift redshift cockroachdb gcp.spanner spanner clickhouse trino h2 h2database hsqldb firebird firebirdsql
   sap.hana hanadb sap.maxdb maxdb sybase vertica ibm.informix informix ibm.netezza netezza ingres actian.ingres`.split(
    /\s+/,
  ),
);

/** Other databases: the names of all conventions, and the last part of the node's type. */
const OTHER_DATABASES: ReadonlyMap<string, string> = new Map([
  ['redis', 'Redis'],
  ['valkey', 'Valkey'],
  ['memcached', 'Memcached'],
  ['mongodb', 'MongoDB'],
  ['elasticsearch', 'Elasticsearch'],
  ['opensearch', 'OpenSearch'],
  ['solr', 'Solr'],
  ['cassandra', 'Cassandra'],
  ['couchbase', 'Couchbase'],
  ['couchdb', 'CouchDB'],
  ['hbase', 'HBase'],
  ['neo4j', 'Neo4j'],
  ['influxdb', 'InfluxDB'],
  ['geode', 'Geode'],
  ['dynamodb', 'DynamoDB'],
  ['aws.dynamodb', 'DynamoDB'],
  ['cosmosdb', 'CosmosDB'],
  ['azure.cosmosdb', 'CosmosDB'],
  ['arangodb', 'ArangoDB'],
  ['rethinkdb', 'RethinkDB'],
  ['milvus', 'Milvus'],
  ['pinecone', 'Pinecone'],
  ['qdrant', 'Qdrant'],
  ['weaviate', 'Weaviate'],
  ['chroma', 'Chroma'],
]);

/** The kind of database, as the sender names it. */
export function databaseSystem(attributes: Attributes): string | undefined {
  return firstText(attributes, 'db.system.name', 'db.system');
}

export function isSqlSystem(system: string): boolean {
  return SQL_SYSTEMS.has(system);
}

/** The type of the node of a database without SQL. A kind that openray does not know keeps its name. */
export function databaseType(system: string): string {
  return `Database::${OTHER_DATABASES.get(system.toLowerCase()) ?? system.slice(0, MAX_KIND_LENGTH)}`;
}

const MAX_KIND_LENGTH = 64;
