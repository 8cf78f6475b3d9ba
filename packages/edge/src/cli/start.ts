import { MicroturnError } from '@microturn/protocol';
import type { Command } from 'commander';
import { outsideAddress } from '../addresses.js';
import { redactConfig, type EdgeConfig } from '../config.js';
import { createEdge } from '../create-edge.js';
import type { Edge } from '../edge.js';
import { greeting } from './greeting.js';
import { createKey } from './keys.js';
import { addConfigOptions, configFrom } from './options.js';
import { reload } from './reload.js';

/** A supervisor gives a process about 10 s to end. */
const CLOSE_MS = 8000;
const FAILED_MS = 500;

export function addStart(program: Command): void {
  const command = program.command('start').description('run the edge');
  addConfigOptions(command)
    .option('--print-config', 'print the configuration that would be used, and stop')
    .action(async () => {
      const devKey = createKey();
      const read = () => withDevKey(configFrom(command, process.env), devKey);
      const config = read();
      if (command.opts()['printConfig']) {
        console.log(JSON.stringify(redactConfig(config), null, 2));
        return;
      }
      await run(config, read);
    });
}

/** A developer's edge signs with a key of its own, new at every start, so there is nothing to set up or to leak. */
function withDevKey(config: EdgeConfig, { key, secret }: ReturnType<typeof createKey>): EdgeConfig {
  if (Object.keys(config.keys).length > 0) return config;
  if (!config.dev)
    throw new MicroturnError('edge/config', 'keys: none given; make one with `microturn keys`, or use --dev');
  return { ...config, keys: { [key]: secret } };
}

/** @param read the configuration as it is now */
async function run(config: EdgeConfig, read: () => EdgeConfig): Promise<void> {
  const edge = await createEdge(config);
  console.log(greeting(edge, await outsideAddress()));
  let stopping = false;
  const stop = (why: string, exitCode: number, handOver: boolean) => {
    // Asked twice, it does not wait for anybody any more.
    if (stopping) process.exit(exitCode || 1);
    stopping = true;
    console.log(`  ${why}: telling callers and closing`);
    closeAndExit(edge, exitCode, handOver);
  };
  process.on('SIGINT', () => stop('SIGINT', 0, false));
  // A supervisor's: another process follows.
  process.on('SIGTERM', () => stop('SIGTERM', 0, true));
  edge.onFailed = (error) => {
    console.error(`microturn: ${error.message} (${error.code})\n  fix: ${error.hint}`);
    // After those who ask have read it: /readyz, and the goodbyes.
    setTimeout(() => {
      if (!stopping) stop(error.code, 1, true);
    }, FAILED_MS);
  };
  process.on('SIGHUP', () => void reload({ read, edge, say: console.log }));
}

/** Ends the process when the edge is closed, and in any case. */
function closeAndExit(edge: Edge, exitCode: number, handOver: boolean): void {
  setTimeout(() => {
    console.error(`microturn: not closed after ${CLOSE_MS / 1000} s, and ended`);
    process.exit(1);
  }, CLOSE_MS);
  edge.close({ handOver }).then(
    () => process.exit(exitCode),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
