import { MicroturnError } from '@microturn/protocol';
import type { Command } from 'commander';
import { checkLanguageModel } from './check-language-model.js';
import { addConfigOptions, configFrom } from './options.js';
import type { CheckResult } from './check-result.js';
import { checks } from './checks.js';

const MARK = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check everything that a first run needs, and print the fix for what fails');
  addConfigOptions(command)
    .option('--json', 'one JSON object per check')
    .option('--language-model <name>', 'asks this model of llm.models for one word, too')
    .action(async (options: { json?: boolean; languageModel?: string }) => {
      let failed = 0;
      const print = (name: string, result: CheckResult) => {
        if (result.status === 'fail') failed++;
        if (options.json) console.log(JSON.stringify({ check: name, ...result }));
        else {
          console.log(`${MARK[result.status]}  ${name}: ${result.detail}`);
          if (result.fix) console.log(`      fix: ${result.fix}`);
        }
      };
      const config = configFrom(command, process.env);
      for (const [name, check] of checks) print(name, await settle(() => check(config)));
      const { languageModel: name } = options;
      if (name !== undefined) {
        print(`language model ${name}`, await settle(() => checkLanguageModel(config, name, process.env)));
      }
      if (!options.json)
        console.log(
          failed === 0 ? '\nready' : `\n${failed} of ${checks.length + (name === undefined ? 0 : 1)} checks failed`,
        );
      // The WebRTC client of the loopback call leaves threads behind that would keep the process.
      process.exit(failed === 0 ? 0 : 1);
    });
}

/** A check that throws has failed, and its error says what to do. */
async function settle(check: () => Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await check();
  } catch (cause) {
    const error = MicroturnError.from(cause, 'edge/internal');
    return { status: 'fail', detail: `${error.message} (${error.code})`, fix: error.hint };
  }
}
