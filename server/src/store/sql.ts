/**
 * SQL as data. Whatever is interpolated becomes a bound `{p0:Type}` parameter or is another `Sql`;
 * a string can not become text.
 */
export type SqlValue = string | number | boolean | bigint | readonly string[] | readonly number[];

export type Sql = { readonly texts: readonly string[]; readonly values: readonly (SqlValue | Sql)[] };

export type RenderedSql = { readonly query: string; readonly params: Readonly<Record<string, SqlValue>> };
