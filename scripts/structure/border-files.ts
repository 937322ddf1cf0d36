import { sourceFiles } from './import-graph.ts';
import { biomeOverrides, bordersTable, type Override } from './render-borders.ts';

const TABLE = /(<!-- borders: npm run borders -->\n)[\s\S]*?(\n<!-- end of borders -->)/;

/** The linter's settings with the overrides that the table of borders asks for. */
export function withBorders(settings: string): string {
  const parsed = JSON.parse(settings) as { overrides: Override[] };
  const others = parsed.overrides.filter(
    (override) => !JSON.stringify(override.linter).includes('noRestrictedImports'),
  );
  const files = sourceFiles('server/src').map((path) => path.slice('server/src/'.length));
  return `${JSON.stringify({ ...parsed, overrides: [...biomeOverrides(files), ...others] }, undefined, 2)}\n`;
}

/** The architecture page with the table of borders between its two marks. */
export function withTable(page: string): string {
  if (!TABLE.test(page)) throw new Error('docs/architecture.md has no marks for the table of borders');
  return page.replace(TABLE, (_, start: string, end: string) => `${start}${bordersTable()}${end}`);
}
