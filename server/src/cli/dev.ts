/** Entry for running from source; the installed program starts with `bin/openray.cjs`. */
import { main } from './main.ts';

process.exitCode = await main(process.argv.slice(2));
