// `npm run bench -- …`: the numbers that we publish; stdout carries what bench prints.
import './lib/node-version.mjs';
import { runTool } from './lib/run-tool.mjs';

await runTool('bench/main.mjs');
