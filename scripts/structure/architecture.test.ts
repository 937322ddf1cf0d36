import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from './import-graph.ts';

const PAGE = 'docs/architecture.md';
const page = readFileSync(join(REPOSITORY, PAGE), 'utf8');

test('every file and folder that the architecture page names is there', () => {
  const paths = [...page.matchAll(/`([a-z-]+\/[a-z/0-9-]*(?:\.ts)?)`/g)].map(([, path]) => path as string);
  const missing = paths.filter(
    (path) =>
      !path.startsWith('openray/') && !['server/src', ''].some((root) => existsSync(join(REPOSITORY, root, path))),
  );
  expect(paths.length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});

test('every line of the architecture page is under 120 columns', () => {
  expect(page.split('\n').filter((line) => line.length >= 120)).toEqual([]);
});
