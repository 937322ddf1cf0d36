// Loaded into the server with `node --require`: writes a line to the file in KILLS_SYNC_LOG after each sync of a journal
// file, before the server learns of it. So each acknowledged byte is in a line. CommonJS, because Node loads it first.
const { openSync, readlinkSync, writeSync } = require('node:fs');
const { open } = require('node:fs/promises');

const log = process.env.KILLS_SYNC_LOG && openSync(process.env.KILLS_SYNC_LOG, 'a');

async function install() {
  const handle = await open(process.execPath, 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ['datasync', 'sync']) {
    const original = prototype[name];
    prototype[name] = async function recorded() {
      // Bytes that are written during the sync may be lost.
      const { size } = await this.stat();
      await original.call(this);
      const path = readlinkSync(`/proc/self/fd/${this.fd}`);
      if (path.endsWith('.journal')) writeSync(log, `${size} ${path}\n`);
    };
  }
}

if (log !== undefined) void install();
