import { Option, type Command } from 'commander';
import { configOptions, loadConfig } from '../config-sources.js';
import type { EdgeConfig } from '../config.js';
import { providerChoices } from '../engine/types.js';
// Not from its index, which loads mediasoup.
import { findWorker } from '../rtc/find-worker.js';

/**
 * Adds `--config` and a flag for every option that has one, under a heading that comes after the flags that it has already.
 * @param paths of the options that the command looks at; all of them where none are given
 */
export function addConfigOptions(command: Command, paths?: readonly string[]): Command {
  const heading = 'Configuration:';
  const file = new Option('-c, --config <file>', 'YAML or JSON file (or MICROTURN_CONFIG)');
  command.addOption(file.helpGroup(heading));
  for (const { path, flag, help, env } of configOptions) {
    if (paths && !paths.includes(path)) continue;
    command.addOption(new Option(flag, `${help} (${env})`).helpGroup(heading));
  }
  return command;
}

/**
 * What the command was told, and the worker of the repository's scripts where it was told of none.
 * @throws {MicroturnError} `edge/config`, naming the option
 */
export function configFrom(command: Command, env: NodeJS.ProcessEnv): EdgeConfig {
  const options = command.opts<Record<string, unknown>>();
  const flags: Record<string, unknown> = {};
  for (const { path, flag } of configOptions) {
    const value = options[new Option(flag).attributeName()];
    if (value !== undefined) flags[path] = value;
  }
  const file = typeof options['config'] === 'string' ? options['config'] : env['MICROTURN_CONFIG'];
  const config = loadConfig({ file, env, flags });
  const { media } = config;
  return { ...config, media: { ...media, workerBin: media.workerBin ?? findWorker({ env }) } };
}

/**
 * `--provider` says where the interaction model runs or, here, which language model is asked, whichever the name is one of.
 * To be called before `configFrom`, which takes the former.
 */
export function languageModelOf(command: Command): string | undefined {
  const { languageModel, provider } = command.opts<{ languageModel?: string; provider?: string }>();
  if (provider === undefined || (providerChoices as readonly string[]).includes(provider)) return languageModel;
  command.setOptionValue('provider', undefined);
  return languageModel ?? provider;
}
