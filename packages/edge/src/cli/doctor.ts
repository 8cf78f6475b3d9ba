import type { Command } from 'commander';
import { addConfigOptions } from './options.js';

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description(
      'check everything that a first run needs, and print the fix for what fails; with --recipe, also ask its transcriber, LLM and voice once, and print how long a user waits',
    )
    .option('--json', 'one JSON object per check')
    .option(
      '--language-model <name>',
      'asks this model of llm.models for one word, too; so does --provider with its name',
    );
  addConfigOptions(command).action(async (options: { json?: boolean; recipe?: string }) => {
    // Loaded for it alone: it places a call of its own, and an edge that starts needs no WebRTC client.
    const { diagnose } = await import('./diagnose.js');
    await diagnose(command, options);
  });
}
