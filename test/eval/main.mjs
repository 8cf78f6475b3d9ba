// `npm run eval`: what an interaction model hears and decides. The program is cli.ts.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../support/run-typescript.mjs';

const { main } = await importTypeScript(fileURLToPath(new URL('cli.ts', import.meta.url)));
process.exitCode = await main(process.argv.slice(2));
