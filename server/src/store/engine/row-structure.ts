import type { Columns } from './engine.ts';
import { quote } from './parameters.ts';

/** `name, attributes`: the columns of an INSERT. */
export const columnNames = (columns: Columns): string => Object.keys(columns).join(', ');

/**
 * `'name String, attributes Array(String)'`: how the engine reads rows; it converts whole columns afterwards. Reading each
 * text into a dictionary doubles the CPU of an insert of entities: every text then goes through a column of its own.
 */
export function rowStructure(columns: Columns): string {
  const structure = Object.entries(columns).map(([name, type]) => `${name} ${withoutDictionaries(type)}`);
  return quote(structure.join(', '));
}

const withoutDictionaries = (type: string): string => type.replaceAll(/LowCardinality\((\w+)\)/g, '$1');
