// Fuzzes the parsers for a minute. `node test/fuzz/main.mjs [--seconds N] [--seed N] [--target NAME] [--input FILE]`;
// `--grow` adds what reached new code to the corpus.
// The program is fuzz.ts; it exits with 1 where something was found.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../support/run-typescript.mjs';

const { main } = await importTypeScript(fileURLToPath(new URL('fuzz.ts', import.meta.url)));
process.exit(await main(process.argv.slice(2)));
