// `npm run call`: a headless caller of a running edge. The program is cli.ts.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../support/run-typescript.mjs';

const { main } = await importTypeScript(fileURLToPath(new URL('cli.ts', import.meta.url)));
process.exitCode = await main(process.argv.slice(2));
