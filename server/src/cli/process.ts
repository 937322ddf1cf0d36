import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const version = manifest.version;

/** What libuv took when the process began; its own default is four. */
export const threadPoolSize = () => Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
