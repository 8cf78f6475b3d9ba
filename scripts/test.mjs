// `npm test`: sets the machine up, then runs every stage of lib/stages.mjs. The last line is the verdict.
//   npm test -- --list               what there is
//   npm test -- --only unit,e2e      some of it
import './lib/node-version.mjs';
import util from 'node:util';
import { ensureChromium } from './lib/browser.mjs';
import { command, describe } from './lib/command.mjs';
import { none, sum, verdict } from './lib/count.mjs';
import { prepare } from './lib/prepare.mjs';
import { createReport } from './lib/report.mjs';
import { runStages, summarize } from './lib/run-stages.mjs';
import { SetupError } from './lib/setup-error.mjs';
import { ensureEspeak } from './lib/speech.mjs';
import { stages } from './lib/stages.mjs';

await command(async () => {
  const { values } = util.parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' } } });
  const report = createReport();
  if (values.list) {
    for (const { id, checks } of stages) report.line(`${id.padEnd(14)}${checks.map(({ title }) => title).join(', ')}`);
    return 0;
  }
  const results = await test(selectStages(values.only), report);
  const total = sum(results.map(({ counts }) => counts));
  report.line(`\n${summarize(results)}\n\n${verdict(total)}`);
  return total.failed > 0 ? 1 : 0;
});

async function test(selected, report) {
  const startedAt = Date.now();
  const setUp = (counts, notes) => ({ id: 'set-up', counts, notes, ms: Date.now() - startedAt });
  let env;
  try {
    env = await prepare(report);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    report.line(describe(error));
    return [setUp({ ...none, failed: 1 }, [firstLine(error)])];
  }

  // A machine without these still runs the stages that do without them.
  const missing = new Map();
  const provide = { chromium: provideChromium, speech: () => ensureEspeak(report) };
  for (const need of new Set(selected.flatMap(({ needs = [] }) => needs))) {
    try {
      await provide[need]();
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      report.line(describe(error));
      missing.set(need, firstLine(error));
    }
  }
  async function provideChromium() {
    env.MICROTURN_CHROMIUM = await ensureChromium(report);
  }
  const ready = setUp(none, []);
  return [ready, ...(await runStages(selected, { env, missing, report }))];
}

function selectStages(only) {
  if (only === undefined) return stages;
  const ids = only.split(',');
  const unknown = ids.filter((id) => !stages.some((stage) => stage.id === id));
  if (unknown.length > 0) {
    throw new SetupError(`no stage is called ${unknown.join(', ')}`, `one of ${stages.map(({ id }) => id).join(', ')}`);
  }
  return stages.filter(({ id }) => ids.includes(id));
}

const firstLine = ({ message }) => message.split('\n', 1)[0];
