// A call of ten minutes, in real time: does memory stay flat? `node test/soak/ten-minutes.mjs [--minutes N]`.
// The program is ten-minutes.ts; it exits with 1 where something grows.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../support/run-typescript.mjs';

const { main } = await importTypeScript(fileURLToPath(new URL('ten-minutes.ts', import.meta.url)));
process.exit(await main(process.argv.slice(2)));
