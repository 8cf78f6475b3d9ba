// `npm run bench`: the numbers that we publish. The program is cli.ts.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../test/support/run-typescript.mjs';

const { main } = await importTypeScript(fileURLToPath(new URL('cli.ts', import.meta.url)));
// Not `exitCode`: a native library that was loaded for one figure may keep the process up.
process.exit(await main(process.argv.slice(2)));
