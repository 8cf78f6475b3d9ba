// `npm run call -- …`: a call to the agent from the command line; stdout carries what test/call prints.
import './lib/node-version.mjs';
import { runTool } from './lib/run-tool.mjs';

await runTool('test/call/main.mjs');
