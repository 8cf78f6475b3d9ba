// `npm run eval -- …`: what the model hears and decides, measured; stdout carries what test/eval prints.
import './lib/node-version.mjs';
import { runTool } from './lib/run-tool.mjs';

await runTool('test/eval/main.mjs');
