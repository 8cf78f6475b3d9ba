import { MicroturnError } from '@microturn/protocol';
import type { Command } from 'commander';
import { outsideAddress } from '../addresses.js';
import { redactConfig, type EdgeConfig } from '../config.js';
import { createEdge } from '../create-edge.js';
import { exitProcess } from '../engine/index.js';
import { greeting } from './greeting.js';
import { createKey } from './keys.js';
import { addConfigOptions, configFrom } from './options.js';
import { runEdge } from './run-edge.js';

export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('run the edge')
    .option('--print-config', 'print the configuration that would be used, and stop');
  addConfigOptions(command).action(async () => {
    const devKey = createKey();
    const read = () => withDevKey(configFrom(command, process.env), devKey);
    const config = read();
    if (command.opts()['printConfig']) {
      console.log(JSON.stringify(redactConfig(config), null, 2));
      return;
    }
    await runEdge({
      create: () => createEdge(config),
      greeting: async (edge) => greeting(edge, await outsideAddress()),
      read,
      signals: process,
      after: (ms, fn) => void setTimeout(fn, ms),
      exit: exitProcess,
      say: console.log,
      complain: console.error,
    });
  });
}

/** A developer's edge signs with a key of its own, new at every start, so there is nothing to set up or to leak. */
function withDevKey(config: EdgeConfig, { key, secret }: ReturnType<typeof createKey>): EdgeConfig {
  if (Object.keys(config.keys).length > 0) return config;
  if (!config.dev)
    throw new MicroturnError('edge/config', 'keys: none given; make one with `microturn keys`, or use --dev');
  return { ...config, keys: { [key]: secret } };
}
