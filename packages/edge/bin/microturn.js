#!/usr/bin/env node
// npm links a command only where its file is there when it installs, and in a clone what this runs is built after that.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('microturn: it is not built yet\n  fix: run `npm start` in the repository, which builds it');
  process.exitCode = 1;
}
