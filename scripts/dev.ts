/**
 * `npm run dev`: runs the server from source, restarted on changes, and the console with hot reload on its own port. The
 * console shows the data of that server.
 */
import { spawn } from 'node:child_process';
import { devServer } from './dev-server.ts';

const { args, url } = await devServer(process.argv.slice(2), process.env);
const children = [
  spawn('npx', ['tsx', 'watch', '--clear-screen=false', 'server/src/cli/dev.ts', 'serve', ...args], {
    stdio: 'inherit',
  }),
  spawn('npx', ['vite', 'console'], { stdio: 'inherit', env: { ...process.env, DEV_SERVER_URL: url } }),
];

for (const child of children) {
  child.once('exit', (code) => {
    for (const other of children) other.kill();
    process.exitCode = code ?? 1;
  });
}
