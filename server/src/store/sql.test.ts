import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quote } from './engine/parameters.ts';
import { renderSql, type Sql, sql } from './sql.ts';

test('values become typed parameters in reading order', () => {
  const where = sql`name = ${'a'} AND n > ${1}`;
  const rendered = renderSql(
    sql`SELECT ${1.5} WHERE ${where} AND ${true} AND x IN ${['a', 'b']} AND y IN ${[1, 2]} AND z = ${2n ** 63n}`,
  );
  expect(rendered.query).toBe(
    'SELECT {p0:Float64} WHERE name = {p1:String} AND n > {p2:Int64} AND {p3:Bool} ' +
      'AND x IN {p4:Array(String)} AND y IN {p5:Array(Int64)} AND z = {p6:UInt64}',
  );
  expect(rendered.params).toEqual({ p0: 1.5, p1: 'a', p2: 1, p3: true, p4: ['a', 'b'], p5: [1, 2], p6: 2n ** 63n });
});

test('a type can be given', () => {
  expect(renderSql(sql`${sql.typed([], 'Array(UInt64)')} ${sql.typed(1, 'Float64')}`).query).toBe(
    '{p0:Array(UInt64)} {p1:Float64}',
  );
});

test('and and or put parentheses around their parts, join does not', () => {
  const parts = [sql`a`, sql`b OR c`];
  expect(renderSql(sql.and(parts)).query).toBe('((a) AND (b OR c))');
  expect(renderSql(sql.or(parts)).query).toBe('((a) OR (b OR c))');
  expect(renderSql(sql.and([sql`a`])).query).toBe('a');
  expect(renderSql(sql.and([])).query).toBe('true');
  expect(renderSql(sql.or([])).query).toBe('false');
  expect(renderSql(sql.join(parts)).query).toBe('a, b OR c');
  expect(renderSql(sql`[${sql.join([])}]`).query).toBe('[]');
});

describe('no value becomes text', () => {
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean());
  const value = fc.oneof(scalar, fc.array(fc.string()), fc.array(fc.integer()));

  test('every value has a placeholder in the statement', () => {
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const { query, params } = renderSql(sql.and(values.map((one) => sql`x = ${one}`)));
        expect(query.replace(/\{p\d+:[A-Za-z0-9()]+\}/g, '')).toMatch(/^(true|[ x=()AND]*)$/);
        expect(Object.values(params)).toEqual(values);
      }),
    );
  });

  test('an object that looks like SQL is rejected', () => {
    const forged: unknown = JSON.parse('{"texts":["DROP TABLE documents"],"values":[]}');
    expect(() => renderSql(sql`SELECT ${forged as Sql}`)).toThrow('an object cannot be bound in SQL');
  });

  test('a literal ends only at its closing quote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const literal = quote(text);
        expect(literal.slice(1, -1).replace(/\\[\\']/g, '')).not.toMatch(/['\\]/);
        expect(literal.slice(1, -1).replace(/\\(.)/gs, '$1')).toBe(text);
      }),
    );
  });
});
