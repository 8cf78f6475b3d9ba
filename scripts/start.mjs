// `npm start`: from a fresh clone, or from one that was started before, to a running edge with the demo.
// Arguments after `--` go to the edge: `npm start -- --port 8080`.
import './lib/node-version.mjs';
import { command } from './lib/command.mjs';
import { prepare } from './lib/prepare.mjs';
import { withQuietLog } from './lib/quiet-log.mjs';
import { createReport } from './lib/report.mjs';
import { root } from './lib/root.mjs';
import { runInPlace } from './lib/run.mjs';

await command(async () => {
  const args = process.argv.slice(2);
  // The edge knows its flags; to tell them it needs no worker, whose build takes minutes.
  const needsWorker = !args.includes('--help') && !args.includes('-h');
  const env = await prepare(createReport(), { needsWorker });
  const edge = ['packages/edge/dist/main.js', 'start', '--dev', '--demo', 'examples/demo/dist', '--documents', 'docs'];
  return runInPlace(process.execPath, [...edge, ...args], { cwd: root, env: withQuietLog(env, args) });
});
